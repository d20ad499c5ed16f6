using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors;

/// <summary>
/// An F32 matrix of <see cref="Rows"/> x <see cref="Columns"/>, row-major, that operations read and write: an
/// activation, whose memory belongs to the tape's arena, or a persistent one (gradients, optimizer state).
/// </summary>
public sealed unsafe class Tensor
{
    private readonly NativeBuffer? _owned;

    internal Tensor(int rows, int columns, float* data, bool requiresGradient) => Become(rows, columns, data, requiresGradient);

    private Tensor(int rows, int columns, NativeBuffer owned)
        : this(rows, columns, owned.Floats, requiresGradient: false) => _owned = owned;

    public int Rows { get; private set; }

    public int Columns { get; private set; }

    public long Count => (long)Rows * Columns;

    /// <summary>Whether backward must find the gradient of the loss with respect to this tensor.</summary>
    public bool RequiresGradient { get; private set; }

    internal float* Data { get; set; }

    /// <summary>The gradient, or null while no consumer has contributed to it.</summary>
    internal float* Gradient { get; set; }

    /// <summary>The operation that made it, when it can make it again (see <see cref="Tape.Forget"/>).</summary>
    internal Node? Producer { get; set; }

    internal bool IsPersistent => _owned is not null;

    /// <summary>Whether the values belong to another tensor.</summary>
    internal bool IsAlias { get; private init; }

    /// <summary>A tensor of zeros in memory of its own, for state that outlives a step.</summary>
    public static Tensor Persistent(int rows, int columns) => new(rows, columns, new NativeBuffer((long)rows * columns * sizeof(float)));

    /// <summary>The same without the zeros: large memory that is only taken from the system where it is written.</summary>
    public static Tensor Uninitialized(int rows, int columns) => new(rows, columns, new NativeBuffer((long)rows * columns * sizeof(float), zero: false));

    /// <summary>A leaf over the values of another tensor, with a gradient of its own.</summary>
    internal static Tensor Alias(Tensor tensor, float* values) =>
        new(tensor.Rows, tensor.Columns, values, tensor.RequiresGradient) { IsAlias = true };

    /// <summary>Serves as another tensor of the same tape, whose step is over.</summary>
    internal void Become(int rows, int columns, float* data, bool requiresGradient)
    {
        Rows = rows;
        Columns = columns;
        Data = data;
        RequiresGradient = requiresGradient;
        Gradient = null;
        Producer = null;
    }

    /// <summary>A copy of the values, row after row.</summary>
    public float[] ToArray() => new ReadOnlySpan<float>(Data, checked((int)Count)).ToArray();

    /// <summary>Copies one row out.</summary>
    public void CopyRowTo(int row, Span<float> destination) => RowSpan(row).CopyTo(destination);

    /// <summary>Overwrites the values.</summary>
    public void SetValues(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
        {
            throw new ArgumentException($"the tensor has {Count} elements, {values.Length} were given", nameof(values));
        }

        values.CopyTo(new Span<float>(Data, values.Length));
    }

    /// <summary>Row r of the source becomes row rows[r] of this tensor.</summary>
    public void CopyRowsFrom(Tensor source, ReadOnlySpan<int> rows)
    {
        if (source.Columns != Columns || rows.Length != source.Rows)
        {
            throw new ArgumentException($"{source.Rows} rows of {source.Columns} for {rows.Length} rows of {Columns}", nameof(source));
        }

        for (var r = 0; r < rows.Length; r++)
        {
            source.RowSpan(r).CopyTo(RowSpan(rows[r]));
        }
    }

    /// <summary>Copies the first rows of another tensor of the same width.</summary>
    public void CopyFirstRows(Tensor source, int rows)
    {
        if (source.Columns != Columns || rows > source.Rows || rows > Rows)
        {
            throw new ArgumentException($"{rows} rows of {source.Rows} of {source.Columns} for {Rows} rows of {Columns}", nameof(source));
        }

        for (var r = 0; r < rows; r++)
        {
            source.RowSpan(r).CopyTo(RowSpan(r));
        }
    }

    /// <summary>Copies elements from <paramref name="start"/> on, row-major.</summary>
    public void CopyTo(long start, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, Count);
        new ReadOnlySpan<float>(Data + start, destination.Length).CopyTo(destination);
    }

    /// <summary>One row where it lies: good until the tape is reset.</summary>
    public Span<float> RowSpan(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        return new(Data + (long)row * Columns, Columns);
    }
}
