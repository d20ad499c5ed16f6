namespace Apprentice.Data.Tokenizers;

/// <summary>
/// BPE over characters: a word begins as one token a character; a character that the vocabulary lacks becomes tokens of
/// its bytes (byte fallback: Llama 2, Mistral, Gemma) or the unknown token.
/// </summary>
internal sealed class CharacterPairEncoder : PairEncoder
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly MergeTable _merges;
    private readonly CharacterPairOptions _options;
    private readonly int[]? _byteIds;

    public CharacterPairEncoder(Dictionary<string, int> vocabulary, MergeTable merges, CharacterPairOptions options)
    {
        (_ids, _merges, _options) = (vocabulary.GetAlternateLookup<ReadOnlySpan<char>>(), merges, options);
        _byteIds = options.ByteFallback ? ByteTokens.Ids(vocabulary) : null;
    }

    public MergeTable Merges => _merges;

    public CharacterPairOptions Options => _options;

    protected override Word EncodeWord(ReadOnlySpan<char> text)
    {
        if (_options.IgnoreMerges && _ids.TryGetValue(text, out var whole))
        {
            return new Word([whole], [(0, text.Length - Utf16.LengthBefore(text, text.Length))]);
        }

        var symbols = new Symbols(System.Text.Encoding.UTF8.GetByteCount(text));
        var bytes = new List<int>();
        var unknownWidth = 0; // of the unknown token that is open
        for (var at = 0; at < text.Length;)
        {
            var character = text.Slice(at, Utf16.Length(text, at));
            var width = System.Text.Encoding.UTF8.GetByteCount(character);
            if (_ids.TryGetValue(Affixed(character, at == 0, at + character.Length == text.Length), out var id))
            {
                EndUnknown();
                symbols.Add(id, width);
            }
            else if (_byteIds is not null && ByteTokens.TryEncode(character, _byteIds, bytes))
            {
                // An unknown token before them stays open and comes after them, as in the reference.
                bytes.ForEach(b => symbols.Add(b, 1));
            }
            else if (_options.Unknown is not null)
            {
                if (!_options.FuseUnknown)
                {
                    EndUnknown();
                }

                unknownWidth += width;
            }

            at += character.Length;
        }

        EndUnknown();
        Merge(symbols, text);
        return symbols.ToWord(text);

        void EndUnknown()
        {
            if (unknownWidth > 0)
            {
                symbols.Add(_options.Unknown!.Value, unknownWidth);
                unknownWidth = 0;
            }
        }
    }

    protected override bool Find(Symbols symbols, ReadOnlySpan<char> text, int left, int right, out int rank, out int id) =>
        _merges.Find(symbols.Ids[left], symbols.Ids[right], out rank, out id);

    private ReadOnlySpan<char> Affixed(ReadOnlySpan<char> character, bool first, bool last)
    {
        var prefix = first ? "" : _options.Prefix;
        var suffix = last ? _options.Suffix : "";
        return prefix.Length + suffix.Length == 0 ? character : string.Concat(prefix, character, suffix);
    }
}

/// <summary>How a BPE model treats what its vocabulary lacks and how it marks the parts of words.</summary>
/// <param name="Unknown">The id of a character without a token; null drops it.</param>
/// <param name="FuseUnknown">Whether neighbouring unknown characters become one token.</param>
/// <param name="IgnoreMerges">Whether a word that is a token as a whole needs no merges to become it.</param>
/// <param name="ByteFallback">Whether tokens such as <c>&lt;0x0A&gt;</c> stand for the bytes of a character without a token.</param>
/// <param name="Prefix">What begins the token of a character that is not first in its word.</param>
/// <param name="Suffix">What ends the token of a character that is last in its word.</param>
internal sealed record CharacterPairOptions(
    int? Unknown = null, bool FuseUnknown = false, bool IgnoreMerges = false, bool ByteFallback = false, string Prefix = "", string Suffix = "");
