using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Matrix products C [m, n] = A [m, k] B [k, n] (or +=). A is F32, with any strides; B is packed into panels while being
/// widened from its stored type. Each element is a sum over k in order, in portions of <see cref="MaxSteps"/>, and after them
/// the update's; only up to eight rows, unless the engine is batch-invariant, are added up in another order.
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>Steps of k that are packed at a time: a panel of them stays in the second-level cache.</summary>
    private const int MaxSteps = 768;

    /// <summary>Columns that are packed at a time, which bounds the packed copy (768 x 2048 floats: 6 MB).</summary>
    private const int MaxColumns = 2048;

    /// <summary>
    /// Rows of C that one part works on: whole tiles, small enough to share the work out evenly and for their values of A to
    /// stay in the second-level cache while the part goes through its columns, which are one or several panels.
    /// </summary>
    private const int RowsPerPart = 16 * Tile.Rows;
    private const int ColumnsPerPart = 64;

    /// <summary>Runs on all workers of the engine.</summary>
    /// <param name="update">A low-rank product to add, or default.</param>
    public static void Run(
        Engine engine, int m, int n, int k, float* a, nint aRow, nint aStep, in Operand b, float* c, nint cRow, bool accumulate, in RankUpdate update = default)
    {
        if (m == 0 || n == 0)
        {
            return;
        }

        // A weight that only a few rows use is read where it lies. The sums are the same, but for the fewest rows.
        var readInPlace = m <= RowsPerPart && b.Transposed && aStep == 1 && !(engine.BatchInvariant && m <= FewRowsGemm.DotRows);
        if (update.Steps > 0 && (readInPlace || update.Steps > MaxSteps))
        {
            Run(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate);
            Run(engine, m, n, update.Steps, update.A, update.ARow, update.AStep, update.B, c, cRow, accumulate: true);
            return;
        }

        if (readInPlace)
        {
            FewRowsGemm.Run(engine, m, n, k, a, aRow, b, c, cRow, accumulate);
            return;
        }

        switch (engine.Simd)
        {
            case SimdLevel.V512 when n > 32: Run<Lanes32>(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update); break;
            case SimdLevel.V512 when n > 16: Run<Lanes16>(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update); break;
            case SimdLevel.V512 or SimdLevel.V256: Run<Lanes8>(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update); break;
            case SimdLevel.V128: Run<Lanes4>(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update); break;
            default: Run<Lanes1>(engine, m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update); break;
        }
    }

    /// <summary>Runs within one part of a job; <paramref name="work"/> needs <see cref="SerialFloats"/> floats.</summary>
    public static void Serial(SimdLevel simd, int m, int n, int k, float* a, nint aRow, nint aStep, in Operand b, float* c, nint cRow, bool accumulate, float* work)
    {
        switch (simd)
        {
            case SimdLevel.V512 when n > 32: Serial<Lanes32>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, work); break;
            case SimdLevel.V512 when n > 16: Serial<Lanes16>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, work); break;
            case SimdLevel.V512 or SimdLevel.V256: Serial<Lanes8>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, work); break;
            case SimdLevel.V128: Serial<Lanes4>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, work); break;
            default: Serial<Lanes1>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, work); break;
        }
    }

    /// <summary>Floats of working memory that <see cref="Serial"/> needs: one panel, one edge tile, staging.</summary>
    public static long SerialFloats(int k) => (long)MaxWidth * Math.Min(k, MaxSteps) + Tile.Rows * MaxWidth + Operand.StagingFloats(MaxWidth);

    private const int MaxWidth = 64;

    private static void Serial<TLanes>(int m, int n, int k, float* a, nint aRow, nint aStep, in Operand b, float* c, nint cRow, bool accumulate, float* work)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        for (var j = 0; j < n; j += width)
        {
            Columns<TLanes>(m, j, Math.Min(width, n - j), k, a, aRow, aStep, b, c, cRow, accumulate, work);
        }
    }

    /// <summary>At most one panel's width of columns from column j on, packed where they cannot be read in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<TLanes>(
        int m, int j, int columns, int k, float* a, nint aRow, nint aStep, in Operand b, float* c, nint cRow, bool accumulate, float* work)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        var steps = StepsAtATime(k);
        var edge = work + (long)width * steps;
        for (var p = 0; p < k || p == 0; p += steps)
        {
            var now = Math.Min(steps, k - p);
            var panel = b.InPlace(j, columns, p, width);
            var bStep = b.Stride;
            if (panel == null)
            {
                panel = work;
                bStep = width;
                b.Pack(j, columns, p, now, width, panel, edge + Tile.Rows * width);
            }

            Panel<TLanes>(m, columns, now, a + p * aStep, aRow, aRow, aStep, panel, bStep, c + j, cRow, accumulate || p > 0, edge);
        }
    }

    private static void Run<TLanes>(
        Engine engine, int m, int n, int k, float* a, nint aRow, nint aStep, in Operand b, float* c, nint cRow, bool accumulate, in RankUpdate update)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        if (m <= RowsPerPart)
        {
            // Each panel has one user, which can just as well pack it itself.
            engine.Team.Run((n + width - 1) / width, new ColumnsJob<TLanes>(m, n, k, a, aRow, aStep, b, c, cRow, accumulate, update));
            return;
        }

        var steps = StepsAtATime(k);
        var packed = engine.Arena.Rent((long)(steps + update.Steps) * ((Math.Min(n, MaxColumns) + width - 1) / width) * width);
        var room = LeftOperand.Room(m, steps, aRow, aStep) is > 0 and var floats ? engine.Arena.Rent(floats) : null;
        for (var j = 0; j < n; j += MaxColumns)
        {
            var columns = Math.Min(MaxColumns, n - j);
            var panels = (columns + width - 1) / width;
            for (var p = 0; p < k || p == 0; p += steps)
            {
                var now = Math.Min(steps, k - p);
                var added = p + steps >= k ? update : default;
                engine.Team.Run(panels, new PackJob(b, j, columns, p, now, added, width, packed));
                var rowParts = (m + RowsPerPart - 1) / RowsPerPart;
                var columnParts = (columns + ColumnsPerPart - 1) / ColumnsPerPart;
                var left = LeftOperand.Of(engine, m, now, a + p * aStep, aRow, aStep, room);
                engine.Team.Run(columnParts * rowParts, new MultiplyJob<TLanes>(m, columns, now, rowParts, left, packed, c + j, cRow, accumulate || p > 0, added));
            }
        }

        engine.Arena.Return(packed);
        if (room != null)
        {
            engine.Arena.Return(room);
        }
    }

    /// <summary>k in equal portions of at most <see cref="MaxSteps"/>, each a multiple of 32 so that blocks stay whole.</summary>
    public static int StepsAtATime(int k)
    {
        var portions = Math.Max(1, (k + MaxSteps - 1) / MaxSteps);
        return portions == 1 ? Math.Max(k, 1) : ((k + portions - 1) / portions + 31) / 32 * 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel<TLanes>(int m, int columns, int steps, float* a, nint aTile, nint aRow, nint aStep, float* panel, nint bStep, float* c, nint cRow, bool accumulate, float* edge)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        for (var i = 0; i < m; i += Tile.Rows)
        {
            var rows = Math.Min(Tile.Rows, m - i);
            var to = c + i * cRow;
            if (columns == width)
            {
                Tile.Multiply<TLanes>(steps, a + i * aTile, aRow, aStep, rows, panel, bStep, to, cRow, accumulate);
                continue;
            }

            // The last columns: a whole tile into the side, then the part that exists.
            Tile.Multiply<TLanes>(steps, a + i * aTile, aRow, aStep, rows, panel, bStep, edge, width, accumulate: false);
            for (var r = 0; r < rows; r++)
            {
                for (var x = 0; x < columns; x++)
                {
                    to[r * cRow + x] = accumulate ? to[r * cRow + x] + edge[r * width + x] : edge[r * width + x];
                }
            }
        }
    }

    /// <summary>One panel of columns from packing to the last tile.</summary>
    private readonly struct ColumnsJob<TLanes>(
        int m, int n, int k, float* a, nint aRow, nint aStep, Operand b, float* c, nint cRow, bool accumulate, RankUpdate update) : IJob
        where TLanes : struct, ILanes<TLanes>
    {
        public void Run(int part, Scratch scratch)
        {
            var j = part * Tile.Columns<TLanes>();
            var columns = Math.Min(Tile.Columns<TLanes>(), n - j);
            var work = scratch.Floats(SerialFloats(Math.Max(k, update.Steps)));
            Columns<TLanes>(m, j, columns, k, a, aRow, aStep, b, c, cRow, accumulate, work);
            if (update.Steps > 0)
            {
                Columns<TLanes>(m, j, columns, update.Steps, update.A, update.ARow, update.AStep, update.B, c, cRow, true, work);
            }
        }
    }

    /// <summary>One panel: its steps of B, and after them those of the update's B.</summary>
    private readonly struct PackJob(Operand b, int first, int columns, int p, int steps, RankUpdate update, int width, float* packed) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var j = first + part * width;
            var count = Math.Min(width, columns - part * width);
            var panel = packed + (long)part * width * (steps + update.Steps);
            var staging = scratch.Floats(Operand.StagingFloats(width));
            b.Pack(j, count, p, steps, width, panel, staging);
            if (update.Steps > 0)
            {
                update.B.Pack(j, count, 0, update.Steps, width, panel + (long)width * steps, staging);
            }
        }
    }

    private readonly struct MultiplyJob<TLanes>(
        int m, int n, int steps, int rowParts, LeftOperand left, float* packed, float* c, nint cRow, bool accumulate, RankUpdate update) : IJob
        where TLanes : struct, ILanes<TLanes>
    {
        public void Run(int part, Scratch scratch)
        {
            // Parts that share panels follow each other, so that these are still in the cache.
            var width = Tile.Columns<TLanes>();
            var (columnPart, rowPart) = Math.DivRem(part, rowParts);
            var row = rowPart * RowsPerPart;
            var rows = Math.Min(RowsPerPart, m - row);
            var edge = scratch.Floats(Tile.Rows * width);
            for (var j = columnPart * ColumnsPerPart; j < Math.Min(n, (columnPart + 1) * ColumnsPerPart); j += width)
            {
                var columns = Math.Min(width, n - j);
                var from = packed + (long)j * (steps + update.Steps);
                var to = c + row * cRow + j;
                Panel<TLanes>(rows, columns, steps, left.From + row * left.TileStride, left.TileStride, left.RowStride, left.StepStride, from, width, to, cRow, accumulate, edge);
                if (update.Steps > 0)
                {
                    Panel<TLanes>(rows, columns, update.Steps, update.A + row * update.ARow, update.ARow, update.ARow, update.AStep, from + (long)width * steps, width, to, cRow, true, edge);
                }
            }
        }
    }
}
