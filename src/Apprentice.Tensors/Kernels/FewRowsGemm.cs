using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Products x Wᵀ of so few rows (tokens being generated) that packing W would cost more than it saves: W is read where it
/// lies. One row is multiplied with the stored codes; up to eight rows, and any number on a batch-invariant engine, by dot
/// products with widened rows of W; more are worked out as (W xᵀ)ᵀ, in tiles of them, so that x, which is small, is packed instead.
/// </summary>
internal static unsafe class FewRowsGemm
{
    /// <summary>Up to so many rows a tile, which is as wide as a vector, would be mostly empty.</summary>
    private const int DotRows = 8;

    /// <summary>Parts of a thread: rows that follow each other are read ahead, which is of use to the thread alone that goes on with them.</summary>
    private const int PartsPerThread = 2;
    private const int LeastColumns = 16;

    /// <summary>More of them where a part has so much to do that threads should not end far from each other.</summary>
    private const int TilePartsPerThread = 16;

    /// <summary>Stored rows of W that are multiplied in tiles, whole ones, before their results are turned.</summary>
    private const int RowsAtOnce = 4 * Tile.Rows;

    /// <summary>C [m, n] = A [m, k] B [k, n] (or +=), where B is stored transposed and the steps of A lie side by side.</summary>
    public static void Run(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
    {
        if (m <= DotRows || engine.BatchInvariant)
        {
            if (m == 1 && !engine.BatchInvariant)
            {
                var columns = Math.Max(LeastColumns, (n + (engine.Threads * PartsPerThread) - 1) / (engine.Threads * PartsPerThread));
                engine.Team.Run((n + columns - 1) / columns, new RowJob(n, k, columns, a, b, c, accumulate));
            }
            else
            {
                DotGemm.Run(engine, m, n, k, a, aRow, b, c, cRow, accumulate);
            }

            return;
        }

        switch (engine.Simd)
        {
            case SimdLevel.V512 when m > 32: Tiles<Lanes32>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V512 when m > 16: Tiles<Lanes16>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V512 or SimdLevel.V256: Tiles<Lanes8>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V128: Tiles<Lanes4>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            default: Tiles<Lanes1>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
        }
    }

    private static void Tiles<TLanes>(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        var panels = (m + width - 1) / width;
        var packed = engine.Arena.Rent((long)k * panels * width);
        engine.Team.Run(panels * PackJob.Pieces(k), new PackJob(new Operand(a, aRow, transposed: true), m, k, width, packed));
        var blocks = (n + RowsAtOnce - 1) / RowsAtOnce;
        var blocksPerPart = Math.Max(1, blocks / (engine.Threads * TilePartsPerThread));
        engine.Team.Run((blocks + blocksPerPart - 1) / blocksPerPart, new TilesJob<TLanes>(m, n, k, blocksPerPart * RowsAtOnce, packed, b, c, cRow, accumulate));
        engine.Arena.Return(packed);
    }

    /// <summary>Dot products of a single row with some stored rows of B.</summary>
    private readonly struct RowJob(int n, int k, int columnsPerPart, float* a, Operand b, float* c, bool accumulate) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var first = part * columnsPerPart;
            var columns = Math.Min(columnsPerPart, n - first);
            var work = scratch.Floats(k + columnsPerPart);
            var sums = work + k;
            BlockFormats.Dot(b.Type, b.Data + first * b.RowBytes, columns, b.RowBytes, a, k, sums, work);
            for (var j = 0; j < columns; j++)
            {
                c[first + j] = accumulate ? c[first + j] + sums[j] : sums[j];
            }
        }
    }

    private readonly struct PackJob(Operand x, int m, int k, int width, float* packed) : IJob
    {
        private const int Steps = 192;

        /// <summary>Parts of a panel.</summary>
        public static int Pieces(int k) => (k + Steps - 1) / Steps;

        public void Run(int part, Scratch scratch)
        {
            var (panel, piece) = Math.DivRem(part, Pieces(k));
            var (first, p) = (panel * width, piece * Steps);
            x.Pack(first, Math.Min(width, m - first), p, Math.Min(Steps, k - p), width, packed + (long)first * k + (long)p * width, scratch.Floats(Operand.StagingFloats(width)));
        }
    }

    /// <summary>Widened rows of W against all of x: tiles of the transposed result.</summary>
    private readonly struct TilesJob<TLanes>(int m, int n, int k, int rowsPerPart, float* packed, Operand b, float* c, nint cRow, bool accumulate) : IJob
        where TLanes : struct, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part, Scratch scratch)
        {
            var width = Tile.Columns<TLanes>();
            var across = (m + width - 1) / width * width;
            var widened = scratch.Floats((long)Tile.Rows * k + RowsAtOnce * across);
            var turned = widened + (long)Tile.Rows * k;
            var end = Math.Min(n, (part + 1) * rowsPerPart);
            for (var first = part * rowsPerPart; first < end; first += RowsAtOnce)
            {
                Multiply(first, Math.Min(end - first, RowsAtOnce), width, across, widened, turned);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply(int first, int count, int width, int across, float* widened, float* turned)
        {
            for (var j = 0; j < count; j += Tile.Rows)
            {
                var rows = Math.Min(Tile.Rows, count - j);
                for (var r = 0; r < rows; r++)
                {
                    BlockFormats.Decode(b.Type, b.Data + (first + j + r) * b.RowBytes, 0, widened + (long)r * k, k);
                }

                for (var i = 0; i < m; i += width)
                {
                    Tile.Multiply<TLanes>(k, widened, k, 1, rows, packed + (long)i * k, width, turned + j * across + i, across, accumulate: false);
                }
            }

            // Columns of a few rows of C at a time: its rows may lie a power of two apart, where a cache keeps few of them.
            for (var i = 0; i < m; i += Transpose.Rows)
            {
                for (var j = 0; j < count; j += Transpose.Rows)
                {
                    Store(turned + j * across + i, across, Math.Min(Transpose.Rows, count - j), Math.Min(Transpose.Rows, m - i), c + i * cRow + first + j);
                }
            }
        }

        /// <summary>Rows of the transposed result as columns of C.</summary>
        private void Store(float* turned, int stride, int rows, int columns, float* to)
        {
            if (!accumulate)
            {
                Transpose.Copy(turned, stride, rows, columns, to, cRow);
                return;
            }

            for (var i = 0; i < columns; i++)
            {
                for (var r = 0; r < rows; r++)
                {
                    to[i * cRow + r] += turned[r * stride + i];
                }
            }
        }
    }
}
