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

        BlockFormats.Multiply(engine, m, n, k, a, aRow, b, c, cRow, accumulate);
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
}
