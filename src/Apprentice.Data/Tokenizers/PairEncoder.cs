namespace Apprentice.Data.Tokenizers;

/// <summary>
/// What is common to byte-pair encoders (Sennrich et al. 2016): a word begins as small symbols, then again and again the
/// neighbours whose merge is the most urgent are joined, the leftmost of equals. O(n log n) in the word's length.
/// </summary>
internal abstract class PairEncoder : TokenModel
{
    /// <summary>Whether two neighbouring symbols can be joined, how urgent that is (0 the most) and what they become.</summary>
    protected abstract bool Find(Symbols symbols, ReadOnlySpan<char> text, int left, int right, out int rank, out int id);

    /// <summary>Joins what can be joined.</summary>
    protected void Merge(Symbols symbols, ReadOnlySpan<char> text)
    {
        // A queue of possible merges over a linked list; an entry whose symbols have changed since is skipped.
        var queue = new PriorityQueue<(int Left, int Right), long>();
        for (var i = 1; i < symbols.Count; i++)
        {
            Offer(symbols, text, i - 1, i, queue);
        }

        while (queue.TryDequeue(out var pair, out var priority))
        {
            var (left, right) = pair;
            if (symbols.Widths[left] == 0 || symbols.Widths[right] == 0 || symbols.Next[left] != right
                || !Find(symbols, text, left, right, out var rank, out var id) || rank != priority >> 32)
            {
                continue;
            }

            symbols.Join(left, right, id);
            Offer(symbols, text, left, symbols.Next[left], queue);
            Offer(symbols, text, symbols.Previous[left], left, queue);
        }

        symbols.Compact();
    }

    private void Offer(Symbols symbols, ReadOnlySpan<char> text, int left, int right, PriorityQueue<(int Left, int Right), long> queue)
    {
        if (left >= 0 && right < symbols.Count && Find(symbols, text, left, right, out var rank, out _))
        {
            queue.Enqueue((left, right), (long)rank << 32 | (uint)left);
        }
    }
}

/// <summary>The symbols of a word while they are joined: a linked list in arrays. A symbol of width 0 has gone into the one before it.</summary>
/// <param name="capacity">At most so many symbols.</param>
internal sealed class Symbols(int capacity)
{
    private Dictionary<string, int>? _halves;

    public int[] Ids { get; } = new int[capacity];

    /// <summary>Where each symbol begins: the sum of the widths before it.</summary>
    public int[] Starts { get; } = new int[capacity];
    public int[] Widths { get; } = new int[capacity];
    public int[] Next { get; } = new int[capacity];
    public int[] Previous { get; } = new int[capacity];
    public int Count { get; private set; }

    /// <summary>For a text that is no token in the end, how much of it is the first of the two that it was joined from.</summary>
    public Dictionary<string, int> Halves => _halves ??= [];

    public void Add(int id, int width)
    {
        var start = Count == 0 ? 0 : Starts[Count - 1] + Widths[Count - 1];
        (Ids[Count], Starts[Count], Widths[Count], Previous[Count], Next[Count]) = (id, start, width, Count - 1, Count + 1);
        Count++;
    }

    public void Join(int left, int right, int id)
    {
        Ids[left] = id;
        Widths[left] += Widths[right];
        Widths[right] = 0;
        Next[left] = Next[right];
        if (Next[left] < Count)
        {
            Previous[Next[left]] = left;
        }
    }

    /// <summary>Drops the symbols that have gone into others.</summary>
    public void Compact()
    {
        var kept = 0;
        for (var i = 0; i < Count; i = Next[i])
        {
            (Ids[kept], Starts[kept], Widths[kept]) = (Ids[i], Starts[i], Widths[i]);
            kept++;
        }

        Count = kept;
    }

    public Word ToWord(ReadOnlySpan<char> text, bool inAlphabet = false) =>
        Word.FromWidths(text, Ids.AsSpan(0, Count), Widths.AsSpan(0, Count), inAlphabet);
}
