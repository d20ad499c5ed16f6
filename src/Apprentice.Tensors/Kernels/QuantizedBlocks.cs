using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Rows of quantised blocks: widened to floats in memory, or in registers on the way into a dot product.
/// </summary>
internal static unsafe class QuantizedBlocks
{
    /// <summary>Elements that are worked on together, and the least that can be widened alone.</summary>
    public const int Group = 32;

    /// <summary>
    /// Writes scale·code, or scale·code + minimum with product and sum each rounded, for <paramref name="count"/> elements of
    /// a row from <paramref name="first"/> on (both whole groups). The same bits on every instruction set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode<TBlock>(byte* row, int first, float* destination, int count)
        where TBlock : struct, IQuantizedBlock
    {
        var halves = HalfPrecision.Halves;
        var block = row + (nint)(first / TBlock.Elements) * TBlock.Bytes;
        var group = first % TBlock.Elements / Group;
        for (var end = destination + count; destination < end; destination += Group)
        {
            Widen<TBlock>(block, group, halves, destination);
            Next<TBlock>(ref block, ref group);
        }
    }

    /// <summary>One group, and asks for one that lies ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen<TBlock>(byte* block, int group, float* halves, float* destination)
        where TBlock : struct, IQuantizedBlock
    {
        Prefetch.Line(block + Ahead);
        TBlock.Scales(block, group, halves, out var s0, out var s1);
        Vector256<float> m0 = default, m1 = default;
        if (TBlock.HasMinimum)
        {
            TBlock.Minima(block, group, halves, out m0, out m1);
        }

        if (TBlock.HasNibbles && Avx512F.IsSupported)
        {
            // The 16 values that the group's elements have are worked out, in one register, and each nibble selects one.
            var values = TBlock.NibbleCodes * Vector512.Create(s0.ToScalar());
            values = TBlock.HasMinimum ? values + Vector512.Create(m0.ToScalar()) : values;
            TBlock.Nibbles(block, group, out var low, out var high);
            Avx512F.PermuteVar16x32(values, low).Store(destination);
            Avx512F.PermuteVar16x32(values, high).Store(destination + 16);
            return;
        }

        TBlock.Codes(block, group, out var c0, out var c1, out var c2, out var c3);
        var (v0, v1, v2, v3) = (Single(c0) * s0, Single(c1) * s0, Single(c2) * s1, Single(c3) * s1);
        if (TBlock.HasMinimum)
        {
            (v0, v1, v2, v3) = (v0 + m0, v1 + m0, v2 + m1, v3 + m1);
        }

        v0.Store(destination);
        v1.Store(destination + 8);
        v2.Store(destination + 16);
        v3.Store(destination + 24);
    }

    /// <summary>
    /// Bytes ahead of the block in work that are asked for: more than a page, at whose end the processor stops guessing.
    /// </summary>
    private const int Ahead = 4096;

    /// <summary>
    /// sums[r] = the sum of x[i] times element i of row r of <paramref name="rows"/> that follow each other. The sums of a
    /// group's codes are scaled once a group, and nothing is written back: what a single vector x (one token being generated)
    /// needs, for which widened weights have no second use.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dot<TBlock>(byte* source, int rows, nint rowBytes, float* x, int count, float* sums)
        where TBlock : struct, IQuantizedBlock
    {
        var halves = HalfPrecision.Halves;
        for (var r = 0; r < rows; r++)
        {
            Vector256<float> even = default, odd = default, evenMinima = default, oddMinima = default;
            var block = source + r * rowBytes;
            var group = 0;
            for (var i = 0; i < count; i += Group)
            {
                Prefetch.Line(block + Ahead);
                TBlock.Scales(block, group, halves, out var s0, out var s1);
                TBlock.Codes(block, group, out var c0, out var c1, out var c2, out var c3);
                var (x0, x1, x2, x3) = (Vector256.Load(x + i), Vector256.Load(x + i + 8), Vector256.Load(x + i + 16), Vector256.Load(x + i + 24));
                even = Vector256.MultiplyAddEstimate(s0, Vector256.MultiplyAddEstimate(Single(c1), x1, Single(c0) * x0), even);
                odd = Vector256.MultiplyAddEstimate(s1, Vector256.MultiplyAddEstimate(Single(c3), x3, Single(c2) * x2), odd);
                if (TBlock.HasMinimum)
                {
                    TBlock.Minima(block, group, halves, out var m0, out var m1);
                    evenMinima = Vector256.MultiplyAddEstimate(m0, x0 + x1, evenMinima);
                    oddMinima = Vector256.MultiplyAddEstimate(m1, x2 + x3, oddMinima);
                }

                Next<TBlock>(ref block, ref group);
            }

            sums[r] = Vector256.Sum(even + odd + (evenMinima + oddMinima));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Next<TBlock>(ref byte* block, ref int group)
        where TBlock : struct, IQuantizedBlock
    {
        if (TBlock.Elements == Group || ++group == TBlock.Elements / Group)
        {
            block += TBlock.Bytes;
            group = 0;
        }
    }

    private static Vector256<float> Single(Vector256<int> codes) => Vector256.ConvertToSingle(codes);
}
