using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Products x Wᵀ of a few dozen rows (answers that are decoded together), worked out as (W xᵀ)ᵀ: the rows of W are widened
/// one after the other and read where they lie, so that none has to be turned, and x, which is small, is packed instead.
/// </summary>
internal static unsafe class SwappedGemm
{
    /// <summary>Stored rows of W that one part works on: whole tiles.</summary>
    private const int RowsPerPart = 4 * Tile.Rows;

    /// <summary>C [m, n] = A [m, k] B [k, n] (or +=), where B is stored transposed.</summary>
    public static void Run<TLanes>(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate)
        where TLanes : struct, ILanes<TLanes>
    {
        var width = Tile.Columns<TLanes>();
        var panels = (m + width - 1) / width;
        var packed = engine.Arena.Rent((long)k * panels * width);
        engine.Team.Run(panels, new PackJob(new Operand(a, aRow, transposed: true), m, k, width, packed));
        engine.Team.Run((n + RowsPerPart - 1) / RowsPerPart, new MultiplyJob<TLanes>(m, n, k, packed, b, c, cRow, accumulate));
        engine.Arena.Return(packed);
    }

    private readonly struct PackJob(Operand x, int m, int k, int width, float* packed) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var first = part * width;
            x.Pack(first, Math.Min(width, m - first), 0, k, width, packed + (long)first * k, scratch.Floats(Operand.StagingFloats(width)));
        }
    }

    private readonly struct MultiplyJob<TLanes>(int m, int n, int k, float* packed, Operand b, float* c, nint cRow, bool accumulate) : IJob
        where TLanes : struct, ILanes<TLanes>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part, Scratch scratch)
        {
            var width = Tile.Columns<TLanes>();
            var widened = scratch.Floats((long)Tile.Rows * k + Tile.Rows * width);
            var tile = widened + (long)Tile.Rows * k;
            for (var j = part * RowsPerPart; j < Math.Min(n, (part + 1) * RowsPerPart); j += Tile.Rows)
            {
                var rows = Math.Min(Tile.Rows, n - j);
                for (var r = 0; r < rows; r++)
                {
                    BlockFormats.Decode(b.Type, b.Data + (j + r) * b.RowBytes, widened + (long)r * k, k);
                }

                for (var i = 0; i < m; i += width)
                {
                    Tile.Multiply<TLanes>(k, widened, k, 1, rows, packed + (long)i * k, width, tile, width, accumulate: false);
                    Store(tile, width, rows, Math.Min(width, m - i), c + i * cRow + j);
                }
            }
        }

        /// <summary>The tile's columns as rows of C.</summary>
        private void Store(float* tile, int width, int rows, int columns, float* to)
        {
            for (var i = 0; i < columns; i++, to += cRow)
            {
                for (var r = 0; r < rows; r++)
                {
                    to[r] = accumulate ? to[r] + tile[r * width + i] : tile[r * width + i];
                }
            }
        }
    }
}
