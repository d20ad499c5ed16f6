using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Rows of quantised blocks of 32 elements: widened to floats in memory, or in registers on the way into a dot product.
/// </summary>
internal static unsafe class QuantizedBlocks
{
    public const int Elements = 32;

    /// <summary>
    /// Writes scale·code, or scale·code + minimum with product and sum each rounded, for <paramref name="count"/> elements
    /// (whole blocks). The same bits on every instruction set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode<TBlock>(byte* source, float* destination, int count)
        where TBlock : struct, IQuantizedBlock
    {
        var halves = HalfPrecision.Halves;
        for (var end = destination + count; destination < end; destination += Elements, source += TBlock.Bytes)
        {
            var scale = BlockParts.Half(source, halves);
            var minimum = TBlock.HasMinimum ? TBlock.Minimum(source, halves) : default;
            TBlock.Codes(source, out var c0, out var c1, out var c2, out var c3);
            Store<TBlock>(c0, scale, minimum, destination);
            Store<TBlock>(c1, scale, minimum, destination + 8);
            Store<TBlock>(c2, scale, minimum, destination + 16);
            Store<TBlock>(c3, scale, minimum, destination + 24);
        }
    }

    /// <summary>
    /// Bytes ahead of the block in work that are asked for: more than a page, at whose end the processor stops guessing.
    /// </summary>
    private const int Ahead = 4096;

    /// <summary>
    /// sums[r] = the sum of x[i] times element i of row r of <paramref name="rows"/> that follow each other. The sums of a
    /// block's codes are scaled once a block, and nothing is written back: what a single vector x (one token being generated)
    /// needs, for which widened weights have no second use.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dot<TBlock>(byte* source, int rows, nint rowBytes, float* x, int count, float* sums)
        where TBlock : struct, IQuantizedBlock
    {
        var halves = HalfPrecision.Halves;
        for (var r = 0; r < rows; r++)
        {
            Vector256<float> even = default, odd = default, minima = default;
            var block = source + r * rowBytes;
            for (var i = 0; i < count; i += Elements, block += TBlock.Bytes)
            {
                if (Sse.IsSupported)
                {
                    Sse.Prefetch0(block + Ahead);
                }

                var scale = BlockParts.Half(block, halves);
                TBlock.Codes(block, out var c0, out var c1, out var c2, out var c3);
                var (x0, x1, x2, x3) = (Vector256.Load(x + i), Vector256.Load(x + i + 8), Vector256.Load(x + i + 16), Vector256.Load(x + i + 24));
                even = Vector256.MultiplyAddEstimate(scale, Vector256.MultiplyAddEstimate(Single(c2), x2, Single(c0) * x0), even);
                odd = Vector256.MultiplyAddEstimate(scale, Vector256.MultiplyAddEstimate(Single(c3), x3, Single(c1) * x1), odd);
                if (TBlock.HasMinimum)
                {
                    minima = Vector256.MultiplyAddEstimate(TBlock.Minimum(block, halves), x0 + x1 + (x2 + x3), minima);
                }
            }

            sums[r] = Vector256.Sum(even + odd + minima);
        }
    }

    /// <summary>The largest magnitude becomes 127; codes are rounded half away from zero by the scale before that is rounded to float16.</summary>
    public static void EncodeQ8_0(float* source, byte* destination, int count)
    {
        for (var end = source + count; source < end; source += Elements, destination += 34)
        {
            var largest = 0f;
            for (var i = 0; i < Elements; i++)
            {
                largest = MathF.Max(largest, MathF.Abs(source[i]));
            }

            var scale = largest / 127;
            var inverse = scale == 0 ? 0 : 1 / scale;
            Unsafe.WriteUnaligned(destination, HalfPrecision.ToF16(scale));
            for (var i = 0; i < Elements; i++)
            {
                destination[2 + i] = (byte)(sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TBlock>(Vector256<int> codes, Vector256<float> scale, Vector256<float> minimum, float* destination)
        where TBlock : struct, IQuantizedBlock =>
        (TBlock.HasMinimum ? (Single(codes) * scale) + minimum : Single(codes) * scale).Store(destination);

    private static Vector256<float> Single(Vector256<int> codes) => Vector256.ConvertToSingle(codes);
}
