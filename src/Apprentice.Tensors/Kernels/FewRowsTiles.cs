using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Products x Wᵀ of several rows as (W xᵀ)ᵀ, in tiles of W: x is packed, and a few stored rows of W at a time are widened,
/// while the tile before is multiplied where the processor has registers for both.
/// </summary>
internal static unsafe class FewRowsTiles
{
    /// <summary>So many parts a thread that threads do not end far from each other.</summary>
    private const int PartsPerThread = 4;

    /// <summary>Stored rows of W that are multiplied in tiles, whole ones, before their results are turned.</summary>
    private const int RowsAtOnce = 4 * Tile.Rows;

    /// <typeparam name="TFiller">Widens stored rows of B's type.</typeparam>
    public static void Run<TFiller>(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
        where TFiller : struct, IFiller<TFiller>
    {
        switch (engine.Simd)
        {
            case SimdLevel.V512 when m > 32: Run<Lanes32, TFiller>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V512 when m > 16: Run<Lanes16, TFiller>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V512 or SimdLevel.V256: Run<Lanes8, TFiller>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            case SimdLevel.V128: Run<Lanes4, TFiller>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
            default: Run<Lanes1, TFiller>(engine, m, n, k, a, aRow, b, c, cRow, accumulate); break;
        }
    }

    private static void Run<TLanes, TFiller>(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
        where TLanes : struct, ILanes<TLanes>
        where TFiller : struct, IFiller<TFiller>
    {
        var width = Tile.Columns<TLanes>();
        var panels = (m + width - 1) / width;
        var packed = engine.Arena.Rent((long)k * panels * width);
        engine.Team.Run(panels * PackJob.Pieces(k), new PackJob(new Operand(a, aRow, transposed: true), m, k, width, packed));
        var blocks = (n + RowsAtOnce - 1) / RowsAtOnce;
        var blocksPerPart = Math.Max(1, blocks / (engine.Threads * PartsPerThread));
        engine.Team.Run((blocks + blocksPerPart - 1) / blocksPerPart, new TilesJob<TLanes, TFiller>(m, n, k, blocksPerPart * RowsAtOnce, packed, b, c, cRow, accumulate));
        engine.Arena.Return(packed);
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
    private readonly struct TilesJob<TLanes, TFiller>(int m, int n, int k, int rowsPerPart, float* packed, Operand b, float* c, nint cRow, bool accumulate) : IJob
        where TLanes : struct, ILanes<TLanes>
        where TFiller : struct, IFiller<TFiller>
    {
        public void Run(int part, Scratch scratch)
        {
            var across = (m + Tile.Columns<TLanes>() - 1) / Tile.Columns<TLanes>() * Tile.Columns<TLanes>();
            var widened = scratch.Floats(2L * Tile.Rows * k + (long)RowsAtOnce * across);
            var next = TFiller.Any ? widened + (long)Tile.Rows * k : widened;
            var turned = widened + 2L * Tile.Rows * k;
            var (first, end) = (part * rowsPerPart, Math.Min(n, (part + 1) * rowsPerPart));
            Widen(first, Math.Min(Tile.Rows, end - first), widened);
            for (; first < end; first += RowsAtOnce)
            {
                var count = Math.Min(RowsAtOnce, end - first);
                for (var j = 0; j < count; j += Tile.Rows)
                {
                    var rows = Math.Min(Tile.Rows, count - j);
                    var after = first + j + rows;
                    Multiply(rows, widened, turned + j * across, across, after, Math.Min(Tile.Rows, end - after), next);
                    var free = widened;
                    widened = next;
                    next = free;
                }

                Turn(turned, across, first, count);
            }
        }

        private void Widen(int row, int rows, float* to)
        {
            for (var r = 0; r < rows; r++)
            {
                BlockFormats.Decode(b.Type, b.Data + (row + r) * b.RowBytes, 0, to + (long)r * k, k);
            }
        }

        /// <summary>Multiplies a tile's rows, and widens those that come after them.</summary>
        private void Multiply(int rows, float* widened, float* turned, int across, int after, int rowsAfter, float* widenedAfter)
        {
            var width = Tile.Columns<TLanes>();
            var filler = TFiller.Widening(b.Data + after * b.RowBytes, widenedAfter, rowsAfter * k);
            Tile.Multiply<TLanes, TFiller>(k, widened, k, 1, rows, packed, width, turned, across, accumulate: false, filler);
            for (var i = width; i < m; i += width)
            {
                Tile.Multiply<TLanes>(k, widened, k, 1, rows, packed + (long)i * k, width, turned + i, across, accumulate: false);
            }

            if (!TFiller.Any)
            {
                Widen(after, rowsAfter, widenedAfter);
            }
        }

        /// <summary>
        /// Columns of a few rows of C at a time: its rows may lie a power of two apart, where a cache keeps few of them.
        /// </summary>
        private void Turn(float* turned, int across, int first, int count)
        {
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
