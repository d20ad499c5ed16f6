using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// A of a product as its tiles read it, in place where that is fast, otherwise moved first. The tile of rows i, i + 1 … begins
/// at <see cref="From"/> + i · <see cref="TileStride"/>; within it <see cref="RowStride"/> and <see cref="StepStride"/> hold.
/// </summary>
internal readonly unsafe struct LeftOperand
{
    /// <summary>
    /// Rows so many floats apart (a page) begin in the same set of the first-level cache, which has eight places: six of them
    /// and a panel of B push each other out. Such an A is copied, with <see cref="SpreadFloats"/> between its rows.
    /// </summary>
    private const int AliasingFloats = 1024, SpreadFloats = 16;

    /// <summary>Rows that one part copies, and steps that one part turns.</summary>
    private const int RowsPerPart = 64, StepsPerPart = 64;

    private LeftOperand(float* from, nint tile, nint row, nint step)
    {
        From = from;
        (TileStride, RowStride, StepStride) = (tile, row, step);
    }

    public float* From { get; }

    public nint TileStride { get; }

    public nint RowStride { get; }

    public nint StepStride { get; }

    /// <summary>Floats of room that <see cref="Of"/> needs for up to so many steps at a time; 0 where A is read in place.</summary>
    public static long Room(int m, int steps, nint aRow, nint aStep) => Turns(aRow, aStep) || Aliases(aRow, aStep) ? (long)(m + Tile.Rows) * (steps + SpreadFloats) : 0;

    /// <param name="a">Element (i, p) at a[i · aRow + p · aStep].</param>
    public static LeftOperand Of(Engine engine, int m, int steps, float* a, nint aRow, nint aStep, float* room)
    {
        if (Turns(aRow, aStep))
        {
            engine.Team.Run((steps + StepsPerPart - 1) / StepsPerPart, new TurnJob(m, steps, a, aStep, room));
            return new LeftOperand(room, steps, 1, Tile.Rows);
        }

        if (Aliases(aRow, aStep))
        {
            var apart = steps + SpreadFloats;
            engine.Team.Run((m + RowsPerPart - 1) / RowsPerPart, new SpreadJob(m, steps, a, aRow, room, apart));
            return new LeftOperand(room, apart, apart, 1);
        }

        return new LeftOperand(a, aRow, aRow, aStep);
    }

    private static bool Turns(nint aRow, nint aStep) => aRow == 1 && aStep != 1;

    private static bool Aliases(nint aRow, nint aStep) => aStep == 1 && aRow % AliasingFloats == 0;

    /// <summary>
    /// Tiles of an A whose steps lie far apart (dyᵀ in a weight's gradient), each tile's values one after the other: read
    /// where it lies, every step would be another line of the cache, of which a tile uses six floats.
    /// </summary>
    private readonly struct TurnJob(int m, int steps, float* a, nint aStep, float* turned) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            for (var p = part * StepsPerPart; p < Math.Min(steps, (part + 1) * StepsPerPart); p++)
            {
                var from = a + p * aStep;
                var to = turned + (long)p * Tile.Rows;
                var i = 0;
                for (; i <= m - Tile.Rows; i += Tile.Rows, to += (long)steps * Tile.Rows)
                {
                    *(Vector128<float>*)to = Vector128.Load(from + i);
                    *(Vector64<float>*)(to + 4) = Vector64.Load(from + i + 4);
                }

                for (; i < m; i++)
                {
                    *to++ = from[i];
                }
            }
        }
    }

    private readonly struct SpreadJob(int m, int steps, float* a, nint aRow, float* spread, nint spreadRow) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            for (var i = part * RowsPerPart; i < Math.Min(m, (part + 1) * RowsPerPart); i++)
            {
                new ReadOnlySpan<float>(a + i * aRow, steps).CopyTo(new Span<float>(spread + i * spreadRow, steps));
            }
        }
    }
}
