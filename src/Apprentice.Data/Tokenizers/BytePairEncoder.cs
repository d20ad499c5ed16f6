namespace Apprentice.Data.Tokenizers;

/// <summary>Byte-level BPE: a word begins as one token a byte. The vocabulary is written in <see cref="ByteAlphabet"/>, the text is not.</summary>
internal sealed class BytePairEncoder : PairEncoder
{
    private readonly Dictionary<string, int> _vocabulary;
    private readonly MergeTable _merges;
    private readonly int[] _byteIds = new int[256];
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;

    /// <param name="vocabulary">Token texts with their ids.</param>
    /// <param name="merges">What becomes of two neighbours.</param>
    /// <param name="unknown">The id of a byte without a token; null drops such a byte.</param>
    /// <param name="fuseUnknown">Whether neighbouring unknown bytes become one token.</param>
    /// <param name="ignoreMerges">Whether a word that is a token as a whole needs no merges to become it.</param>
    public BytePairEncoder(Dictionary<string, int> vocabulary, MergeTable merges, int? unknown, bool fuseUnknown, bool ignoreMerges)
    {
        (_vocabulary, _merges, _unknown, _fuseUnknown, IgnoreMerges) = (vocabulary, merges, unknown, fuseUnknown, ignoreMerges);
        for (var b = 0; b < 256; b++)
        {
            _byteIds[b] = vocabulary.GetValueOrDefault(ByteAlphabet.Character((byte)b).ToString(), -1);
        }
    }

    public MergeTable Merges => _merges;

    public bool IgnoreMerges { get; }

    protected override Word EncodeWord(ReadOnlySpan<char> text)
    {
        var bytes = new byte[System.Text.Encoding.UTF8.GetByteCount(text)];
        System.Text.Encoding.UTF8.GetBytes(text, bytes);
        if (IgnoreMerges && ByteAlphabet.Write(bytes) is var written && _vocabulary.TryGetValue(written, out var whole))
        {
            return Word.FromWidths(text, [whole], [System.Text.Encoding.UTF8.GetByteCount(written)], inAlphabet: true);
        }

        var symbols = new Symbols(bytes.Length);
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
                symbols.Widths[symbols.Count - 1] += ByteAlphabet.Width(b);
                continue;
            }

            afterUnknown = isUnknown;
            symbols.Add(isUnknown ? _unknown!.Value : id, ByteAlphabet.Width(b));
        }

        Merge(symbols, text);
        return symbols.ToWord(text, inAlphabet: true);
    }

    protected override bool Find(Symbols symbols, ReadOnlySpan<char> text, int left, int right, out int rank, out int id) =>
        _merges.Find(symbols.Ids[left], symbols.Ids[right], out rank, out id);
}
