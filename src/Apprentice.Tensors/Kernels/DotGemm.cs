using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Products x Wᵀ in which each element is one dot product over k in an order that nothing else has a say in: a row of x gives
/// the same bits alone and among any others. W is widened some rows at a time, and read once for all of x.
/// </summary>
internal static unsafe class DotGemm
{
    /// <summary>Rows of x and of W that are multiplied together: as many sums as registers hold beside their operands.</summary>
    private const int LeftRows = 4, StoredRows = 3;

    /// <summary>Rows of W that are widened at a time, and those of one part.</summary>
    private const int WidenedRows = 2 * StoredRows, RowsPerPart = 4 * WidenedRows;

    /// <summary>C [m, n] = A [m, k] B [k, n] (or +=), where B is stored transposed and the steps of A lie side by side.</summary>
    public static void Run(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
    {
        var parts = (n + RowsPerPart - 1) / RowsPerPart;
        switch (engine.Simd)
        {
            case SimdLevel.V512: engine.Team.Run(parts, new DotsJob<Lanes16>(m, n, k, a, aRow, b, c, cRow, accumulate)); break;
            case SimdLevel.V256: engine.Team.Run(parts, new DotsJob<Lanes8>(m, n, k, a, aRow, b, c, cRow, accumulate)); break;
            case SimdLevel.V128: engine.Team.Run(parts, new DotsJob<Lanes4>(m, n, k, a, aRow, b, c, cRow, accumulate)); break;
            default: engine.Team.Run(parts, new DotsJob<Lanes1>(m, n, k, a, aRow, b, c, cRow, accumulate)); break;
        }
    }

    private readonly struct DotsJob<TLanes>(int m, int n, int k, float* a, nint aRow, Operand b, float* c, nint cRow, bool accumulate) : IJob
        where TLanes : struct, ILanes<TLanes>
    {
        public void Run(int part, Scratch scratch)
        {
            var end = Math.Min(n, (part + 1) * RowsPerPart);
            var inPlace = b.Type == StorageType.F32;
            var work = scratch.Floats((long)WidenedRows * k);
            for (var j = part * RowsPerPart; j < end; j += WidenedRows)
            {
                var rows = Math.Min(WidenedRows, end - j);
                for (var r = 0; r < rows && !inPlace; r++)
                {
                    BlockFormats.Decode(b.Type, b.Data + (j + r) * b.RowBytes, 0, work + (long)r * k, k);
                }

                var w = inPlace ? (float*)(b.Data + j * b.RowBytes) : work;
                Multiply(rows, w, inPlace ? b.RowBytes / sizeof(float) : k, c + j);
            }
        }

        private void Multiply(int rows, float* w, nint wRow, float* to)
        {
            for (var i = 0; i < m; i += LeftRows)
            {
                var left = Math.Min(LeftRows, m - i);
                for (var r = 0; r < rows; r += StoredRows)
                {
                    var stored = Math.Min(StoredRows, rows - r);
                    switch (left)
                    {
                        case 1: Tile<One>(left, stored, a + i * aRow, w + r * wRow, wRow, to + i * cRow + r); break;
                        case 2: Tile<Two>(left, stored, a + i * aRow, w + r * wRow, wRow, to + i * cRow + r); break;
                        default: Tile<Four>(left, stored, a + i * aRow, w + r * wRow, wRow, to + i * cRow + r); break;
                    }
                }
            }
        }

        /// <summary>Dot products of up to four rows of x with up to three of W; those that are not there repeat the last one.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Tile<TRows>(int left, int stored, float* x, float* w, nint wRow, float* to)
            where TRows : struct, IRows
        {
            TLanes s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero;
            TLanes s20 = TLanes.Zero, s21 = TLanes.Zero, s22 = TLanes.Zero, s30 = TLanes.Zero, s31 = TLanes.Zero, s32 = TLanes.Zero;
            var x1 = x + Math.Min(1, left - 1) * aRow;
            var x2 = x + Math.Min(2, left - 1) * aRow;
            var x3 = x + Math.Min(3, left - 1) * aRow;
            var w1 = w + Math.Min(1, stored - 1) * wRow;
            var w2 = w + Math.Min(2, stored - 1) * wRow;
            nint p = 0;
            for (; p <= k - TLanes.Count; p += TLanes.Count)
            {
                var (v0, v1, v2) = (TLanes.Load(w + p), TLanes.Load(w1 + p), TLanes.Load(w2 + p));
                var u = TLanes.Load(x + p);
                s00.AddProduct(u, v0);
                s01.AddProduct(u, v1);
                s02.AddProduct(u, v2);
                if (TRows.Count > 1)
                {
                    u = TLanes.Load(x1 + p);
                    s10.AddProduct(u, v0);
                    s11.AddProduct(u, v1);
                    s12.AddProduct(u, v2);
                }

                if (TRows.Count > 2)
                {
                    u = TLanes.Load(x2 + p);
                    s20.AddProduct(u, v0);
                    s21.AddProduct(u, v1);
                    s22.AddProduct(u, v2);
                    u = TLanes.Load(x3 + p);
                    s30.AddProduct(u, v0);
                    s31.AddProduct(u, v1);
                    s32.AddProduct(u, v2);
                }
            }

            Store(stored, x, p, w, w1, w2, s00, s01, s02, to);
            if (TRows.Count > 1)
            {
                Store(stored, x1, p, w, w1, w2, s10, s11, s12, to + cRow);
            }

            if (TRows.Count > 2)
            {
                Store(stored, x2, p, w, w1, w2, s20, s21, s22, to + 2 * cRow);
                if (left > 3)
                {
                    Store(stored, x3, p, w, w1, w2, s30, s31, s32, to + 3 * cRow);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Store(int stored, float* x, nint p, float* w, float* w1, float* w2, TLanes s0, TLanes s1, TLanes s2, float* to)
        {
            Store(x, p, w, TLanes.Sum(s0), to);
            if (stored > 1)
            {
                Store(x, p, w1, TLanes.Sum(s1), to + 1);
            }

            if (stored > 2)
            {
                Store(x, p, w2, TLanes.Sum(s2), to + 2);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Store(float* x, nint p, float* w, float sum, float* to)
        {
            for (; p < k; p++)
            {
                sum += x[p] * w[p];
            }

            *to = accumulate ? *to + sum : sum;
        }
    }

    /// <summary>How many rows of x a tile multiplies, known when it is compiled.</summary>
    private interface IRows
    {
        static abstract int Count { get; }
    }

    private readonly struct One : IRows
    {
        public static int Count => 1;
    }

    private readonly struct Two : IRows
    {
        public static int Count => 2;
    }

    private readonly struct Four : IRows
    {
        public static int Count => 4;
    }
}
