namespace Apprentice.Tensors.Ops;

/// <summary>
/// A run of consecutive tokens at consecutive positions. Its tokens see all tokens of its ancestors and, among
/// themselves, what the attention rule allows. No other mask exists.
/// </summary>
/// <param name="Start">First row: of the batch, or of the key-value cache when <paramref name="Cached"/>.</param>
/// <param name="Length">Tokens.</param>
/// <param name="FirstPosition">Position of its first token.</param>
/// <param name="Parent">Index of the segment that it continues, or -1. A parent stands before its children.</param>
/// <param name="Cached">Its keys and values were computed earlier and lie in the cache; it has no queries.</param>
public readonly record struct Segment(int Start, int Length, int FirstPosition = 0, int Parent = -1, bool Cached = false);

/// <summary>The segments of one batch, checked, with the lists that attention walks through.</summary>
public sealed class Segments
{
    /// <summary>Queries or keys that are worked on together.</summary>
    public const int BlockRows = 64;

    private readonly Lazy<SegmentBlock[][]> _seers;

    /// <param name="all">Parents before children; the segments that are not cached cover rows 0..rows-1 once.</param>
    /// <exception cref="ArgumentException">A parent is not before its child, or rows are missing or used twice.</exception>
    public Segments(params Segment[] all)
    {
        All = all;
        Chains = new int[all.Length][];
        var blocks = new List<SegmentBlock>();
        var covered = 0;
        for (var s = 0; s < all.Length; s++)
        {
            var segment = all[s];
            if (segment.Length <= 0 || segment.Start < 0 || segment.Parent < -1 || segment.Parent >= s)
            {
                throw new ArgumentException($"segment {s} {segment} is empty or its parent does not stand before it", nameof(all));
            }

            Chains[s] = segment.Parent < 0 ? [s] : [.. Chains[segment.Parent], s];
            if (segment.Cached)
            {
                CachedRows = Math.Max(CachedRows, segment.Start + segment.Length);
                continue;
            }

            covered += segment.Length;
            Rows = Math.Max(Rows, segment.Start + segment.Length);
            for (var first = 0; first < segment.Length; first += BlockRows)
            {
                blocks.Add(new SegmentBlock(s, first, Math.Min(BlockRows, segment.Length - first)));
            }
        }

        if (covered != Rows)
        {
            throw new ArgumentException($"the segments cover {covered} tokens of {Rows} rows", nameof(all));
        }

        Blocks = [.. blocks];
        _seers = new(() => [.. all.Select((_, s) => Blocks.Where(b => Chains[b.Segment].Contains(s)).ToArray())]);
    }

    public IReadOnlyList<Segment> All { get; }

    /// <summary>Tokens of the batch.</summary>
    public int Rows { get; }

    /// <summary>Rows that a cache must have for the cached segments.</summary>
    internal int CachedRows { get; }

    /// <summary>For each segment its ancestors, root first, and itself.</summary>
    internal int[][] Chains { get; }

    /// <summary>All tokens of the batch in blocks.</summary>
    internal SegmentBlock[] Blocks { get; }

    /// <summary>For each segment the query blocks that see it, in order. Backward alone asks; decoding steps need not pay.</summary>
    internal SegmentBlock[][] Seers => _seers.Value;

    /// <summary>Position of every row.</summary>
    public int[] Positions()
    {
        var positions = new int[Rows];
        foreach (var segment in All)
        {
            for (var i = 0; !segment.Cached && i < segment.Length; i++)
            {
                positions[segment.Start + i] = segment.FirstPosition + i;
            }
        }

        return positions;
    }
}

/// <summary>Tokens First.. of a segment.</summary>
internal readonly record struct SegmentBlock(int Segment, int First, int Count);
