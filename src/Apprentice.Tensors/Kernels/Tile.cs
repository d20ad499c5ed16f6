using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// The innermost product: 6 rows by 2 lane groups of C in registers, over all k. Every other loop of a matrix
/// product only feeds it.
/// </summary>
internal static unsafe class Tile
{
    public const int Rows = 6;

    /// <summary>Columns of C that one tile covers.</summary>
    public static int Columns<TLanes>()
        where TLanes : struct, ILanes<TLanes> => 2 * TLanes.Count;

    /// <summary>Steps of k from one step of a <see cref="IFiller{T}"/> to the next: over all k it may widen six rows of k elements.</summary>
    private const int FillerSteps = 5;

    /// <summary>C[6, 2L] = A[6, k] B[k, 2L], or += when accumulating.</summary>
    /// <param name="a">A is read where it lies: element (r, p) at a[r*aRow + p*aStep]. Rows from <paramref name="rows"/> on repeat the last one and are not stored.</param>
    /// <param name="b">Row p of the panel at b + p*bStep.</param>
    /// <param name="c">Row r of the result at c + r*cRow.</param>
    public static void Multiply<TLanes>(int k, float* a, nint aRow, nint aStep, int rows, float* b, nint bStep, float* c, nint cRow, bool accumulate)
        where TLanes : struct, ILanes<TLanes> => Multiply<TLanes, NoFiller>(k, a, aRow, aStep, rows, b, bStep, c, cRow, accumulate, default);

    /// <summary>The same, and the steps of the filler meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TLanes, TFiller>(
        int k, float* a, nint aRow, nint aStep, int rows, float* b, nint bStep, float* c, nint cRow, bool accumulate, TFiller filler)
        where TLanes : struct, ILanes<TLanes>
        where TFiller : struct, IFiller<TFiller>
    {
        TLanes c00 = TLanes.Zero, c01 = TLanes.Zero, c10 = TLanes.Zero, c11 = TLanes.Zero, c20 = TLanes.Zero, c21 = TLanes.Zero;
        TLanes c30 = TLanes.Zero, c31 = TLanes.Zero, c40 = TLanes.Zero, c41 = TLanes.Zero, c50 = TLanes.Zero, c51 = TLanes.Zero;
        var a0 = a;
        var a1 = a + Math.Min(1, rows - 1) * aRow;
        var a2 = a + Math.Min(2, rows - 1) * aRow;
        var a3 = a + Math.Min(3, rows - 1) * aRow;
        var a4 = a + Math.Min(4, rows - 1) * aRow;
        var a5 = a + Math.Min(5, rows - 1) * aRow;
        nint at = 0;
        var between = filler;
        for (var end = b + k * bStep; b < end;)
        {
            var pause = end;
            if (TFiller.Any)
            {
                between.Step();
                pause = b + FillerSteps * bStep;
                pause = pause < end ? pause : end;
            }

            for (; b < pause; b += bStep)
            {
                var b0 = TLanes.Load(b);
                var b1 = TLanes.Load(b + TLanes.Count);
                var x = TLanes.Broadcast(a0[at]);
                c00.AddProduct(x, b0);
                c01.AddProduct(x, b1);
                x = TLanes.Broadcast(a1[at]);
                c10.AddProduct(x, b0);
                c11.AddProduct(x, b1);
                x = TLanes.Broadcast(a2[at]);
                c20.AddProduct(x, b0);
                c21.AddProduct(x, b1);
                x = TLanes.Broadcast(a3[at]);
                c30.AddProduct(x, b0);
                c31.AddProduct(x, b1);
                x = TLanes.Broadcast(a4[at]);
                c40.AddProduct(x, b0);
                c41.AddProduct(x, b1);
                x = TLanes.Broadcast(a5[at]);
                c50.AddProduct(x, b0);
                c51.AddProduct(x, b1);
                at += aStep;
            }
        }

        StoreRow(c00, c01, c, accumulate);
        if (rows > 1)
        {
            StoreRow(c10, c11, c + cRow, accumulate);
        }

        if (rows > 2)
        {
            StoreRow(c20, c21, c + 2 * cRow, accumulate);
        }

        if (rows > 3)
        {
            StoreRow(c30, c31, c + 3 * cRow, accumulate);
        }

        if (rows > 4)
        {
            StoreRow(c40, c41, c + 4 * cRow, accumulate);
        }

        if (rows > 5)
        {
            StoreRow(c50, c51, c + 5 * cRow, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TLanes>(TLanes low, TLanes high, float* c, bool accumulate)
        where TLanes : struct, ILanes<TLanes>
    {
        if (accumulate)
        {
            low = TLanes.Load(c) + low;
            high = TLanes.Load(c + TLanes.Count) + high;
        }

        low.Store(c);
        high.Store(c + TLanes.Count);
    }
}
