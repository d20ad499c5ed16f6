using System.Numerics.Tensors;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Splits rows into parts of a fixed size, so that sums over rows are added up in the same order whatever the number
/// of threads.
/// </summary>
internal static unsafe class RowParts
{
    private const int RowsPerPart = 16;

    public static int Count(int rows) => (rows + RowsPerPart - 1) / RowsPerPart;

    public static RowRange Rows(int part, int rows) => new(part * RowsPerPart, Math.Min(rows, (part + 1) * RowsPerPart));

    /// <summary>sum += the rows of partials, first to last.</summary>
    public static void SumInto(float* sum, float* partials, int count, int width)
    {
        for (var p = 0; p < count; p++)
        {
            Kernels.Rows.AddScaled(1, partials + (long)p * width, sum, width);
        }
    }

    /// <summary>w + offset, or w itself where the offset is 0.</summary>
    public static float* Shifted(float* w, float offset, int width, Scratch scratch) =>
        offset == 0 ? w : Shifted(w, offset, width, scratch.Floats(width));

    public static float* Shifted(float* w, float offset, int width, float* memory)
    {
        if (offset == 0)
        {
            return w;
        }

        TensorPrimitives.Add(new ReadOnlySpan<float>(w, width), offset, new Span<float>(memory, width));
        return memory;
    }

    /// <summary>Row numbers from first (inclusive) to end (exclusive), to be walked by foreach.</summary>
    internal struct RowRange(int first, int end)
    {
        public int Current { get; private set; } = first - 1;

        public readonly RowRange GetEnumerator() => this;

        public bool MoveNext() => ++Current < end;
    }
}
