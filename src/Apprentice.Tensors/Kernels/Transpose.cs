using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>Turns rows into columns while packing; 8 x 8 at a time in registers where the machine can.</summary>
internal static unsafe class Transpose
{
    /// <summary>Rows that are worked on together.</summary>
    public const int Rows = 8;

    /// <summary>to[s * toStride + r] = from[r * fromStride + s] for r below rows and s below steps.</summary>
    public static void Copy(float* from, nint fromStride, int rows, int steps, float* to, nint toStride)
    {
        var s = 0;
        if (Avx.IsSupported && rows == Rows)
        {
            for (; s <= steps - 8; s += 8)
            {
                Square(from + s, fromStride, to + s * toStride, toStride);
            }
        }

        for (var r = 0; r < rows; r++)
        {
            for (var i = s; i < steps; i++)
            {
                to[i * toStride + r] = from[r * fromStride + i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(float* from, nint fromStride, float* to, nint toStride)
    {
        var (a0, a1) = Pairs(from, fromStride);
        var (a2, a3) = Pairs(from + 2 * fromStride, fromStride);
        var (a4, a5) = Pairs(from + 4 * fromStride, fromStride);
        var (a6, a7) = Pairs(from + 6 * fromStride, fromStride);

        // Column s of the first four rows in the lower or upper half, of the last four likewise.
        Halves(Avx.Shuffle(a0, a2, 0x44), Avx.Shuffle(a4, a6, 0x44), to, 4 * toStride);
        Halves(Avx.Shuffle(a0, a2, 0xEE), Avx.Shuffle(a4, a6, 0xEE), to + toStride, 4 * toStride);
        Halves(Avx.Shuffle(a1, a3, 0x44), Avx.Shuffle(a5, a7, 0x44), to + 2 * toStride, 4 * toStride);
        Halves(Avx.Shuffle(a1, a3, 0xEE), Avx.Shuffle(a5, a7, 0xEE), to + 3 * toStride, 4 * toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) Pairs(float* from, nint stride)
    {
        var (x, y) = (Vector256.Load(from), Vector256.Load(from + stride));
        return (Avx.UnpackLow(x, y), Avx.UnpackHigh(x, y));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Halves(Vector256<float> upperRows, Vector256<float> lowerRows, float* to, nint distance)
    {
        Avx.Permute2x128(upperRows, lowerRows, 0x20).Store(to);
        Avx.Permute2x128(upperRows, lowerRows, 0x31).Store(to + distance);
    }
}
