namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016) of one word: begins with one token a byte, then joins again and again the
/// neighbours whose merge comes first in the list, the leftmost of equals. O(n log n) in the word's length.
/// Immutable but for its cache; usable from many threads.
/// </summary>
internal sealed class BytePairEncoder
{
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges;
    private readonly int[] _byteIds = new int[256];
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;
    private readonly bool _ignoreMerges;
    private readonly WordCache _cache = new();

    /// <param name="vocabulary">Token texts in <see cref="ByteAlphabet"/> with their ids.</param>
    /// <param name="merges">For two neighbouring ids the place in the list of merges and the id that they become.</param>
    /// <param name="unknown">The id of a byte without a token; null drops such a byte.</param>
    /// <param name="fuseUnknown">Whether neighbouring unknown bytes become one token.</param>
    /// <param name="ignoreMerges">Whether a word that is a token as a whole needs no merges to become it.</param>
    public BytePairEncoder(Dictionary<string, int> vocabulary, Dictionary<(int Left, int Right), (int Rank, int Id)> merges, int? unknown, bool fuseUnknown, bool ignoreMerges)
    {
        (_vocabulary, _merges, _unknown, _fuseUnknown, _ignoreMerges) = (vocabulary, merges, unknown, fuseUnknown, ignoreMerges);
        for (var b = 0; b < 256; b++)
        {
            _byteIds[b] = vocabulary.GetValueOrDefault(ByteAlphabet.Character((byte)b).ToString(), -1);
        }
    }

    /// <summary>For two neighbouring ids the place in the list of merges and the id that they become.</summary>
    public IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> Merges => _merges;

    public bool IgnoreMerges => _ignoreMerges;

    /// <summary>Encodes a word that is plain text.</summary>
    public Word EncodeText(ReadOnlySpan<char> text)
    {
        if (_cache.Find(text) is { } word)
        {
            return word;
        }

        var bytes = new byte[System.Text.Encoding.UTF8.GetByteCount(text)];
        System.Text.Encoding.UTF8.GetBytes(text, bytes);
        word = EncodeBytes(bytes);
        _cache.Add(text, word);
        return word;
    }

    public Word EncodeBytes(ReadOnlySpan<byte> bytes)
    {
        if (_ignoreMerges && ByteAlphabet.Write(bytes) is var text && _vocabulary.TryGetValue(text, out var whole))
        {
            return new Word([whole], [System.Text.Encoding.UTF8.GetByteCount(text)]);
        }

        var ids = new int[bytes.Length];
        var widths = new int[bytes.Length];
        var count = 0;
        var afterUnknown = false;
        foreach (var b in bytes)
        {
            var id = _byteIds[b];
            var isUnknown = id < 0;
            if (isUnknown && _unknown is null)
            {
                continue;
            }

            if (isUnknown && afterUnknown && _fuseUnknown)
            {
                widths[count - 1] += ByteAlphabet.Width(b);
                continue;
            }

            afterUnknown = isUnknown;
            ids[count] = isUnknown ? _unknown!.Value : id;
            widths[count++] = ByteAlphabet.Width(b);
        }

        return Merge(ids.AsSpan(0, count), widths.AsSpan(0, count));
    }

    private Word Merge(Span<int> ids, Span<int> widths)
    {
        // A linked list over the symbols and a queue of possible merges; an entry whose symbols have changed is skipped.
        var count = ids.Length;
        var next = new int[count];
        var previous = new int[count];
        var queue = new PriorityQueue<(int Left, int Right), long>();
        for (var i = 0; i < count; i++)
        {
            (next[i], previous[i]) = (i + 1, i - 1);
            Offer(ids, i, i + 1, queue);
        }

        while (queue.TryDequeue(out var pair, out var priority))
        {
            var (left, right) = pair;
            if (widths[left] == 0 || widths[right] == 0 || next[left] != right
                || !_merges.TryGetValue((ids[left], ids[right]), out var merge) || merge.Rank != priority >> 32)
            {
                continue;
            }

            ids[left] = merge.Id;
            widths[left] += widths[right];
            widths[right] = 0;
            next[left] = next[right];
            if (next[left] < count)
            {
                previous[next[left]] = left;
            }

            Offer(ids, left, next[left], queue);
            Offer(ids, previous[left], left, queue);
        }

        var kept = 0;
        for (var i = 0; i < count; i = next[i])
        {
            (ids[kept], widths[kept]) = (ids[i], widths[i]);
            kept++;
        }

        return new Word(ids[..kept].ToArray(), widths[..kept].ToArray());
    }

    private void Offer(ReadOnlySpan<int> ids, int left, int right, PriorityQueue<(int Left, int Right), long> queue)
    {
        if (left >= 0 && right < ids.Length && _merges.TryGetValue((ids[left], ids[right]), out var merge))
        {
            queue.Enqueue((left, right), (long)merge.Rank << 32 | (uint)left);
        }
    }
}
