namespace Apprentice.Data.Tokenizers;

/// <summary>
/// WordPiece as in BERT: from left to right the longest token that fits; tokens that are not first in their word begin
/// with a prefix. A word that does not come out even, or is too long, is the unknown token.
/// </summary>
internal sealed class WordPieceEncoder : TokenModel
{
    private readonly TokenTrie _trie = new();
    private readonly int _unknown;
    private readonly int _longestWord;
    private readonly int _continuation;

    /// <param name="vocabulary">Token to id.</param>
    /// <param name="unknown">The id of the unknown token.</param>
    /// <param name="prefix">What begins the tokens that are not first in their word.</param>
    /// <param name="longestWord">Words of more characters than this are unknown.</param>
    public WordPieceEncoder(Dictionary<string, int> vocabulary, int unknown, string prefix, int longestWord)
    {
        (_unknown, _longestWord) = (unknown, longestWord);
        foreach (var (text, id) in vocabulary)
        {
            if (text.Length > 0)
            {
                _trie.Add(text, id);
            }
        }

        _continuation = TokenTrie.Root;
        foreach (var c in prefix)
        {
            _continuation = _continuation < 0 ? -1 : _trie.Step(_continuation, c);
        }
    }

    protected override Word EncodeWord(ReadOnlySpan<char> text)
    {
        var last = text.Length - Utf16.LengthBefore(text, text.Length);
        var unknown = new Word([_unknown], [(0, last)]);
        if (text.Length > _longestWord && Utf16.Count(text) > _longestWord)
        {
            return unknown;
        }

        var ids = new List<int>();
        var characters = new List<(int First, int Last)>();
        for (var start = 0; start < text.Length;)
        {
            var from = start == 0 ? TokenTrie.Root : _continuation;
            var length = 0;
            var id = from < 0 ? -1 : _trie.Longest(text[start..], out length, from);
            if (id < 0)
            {
                return unknown;
            }

            ids.Add(id);
            characters.Add((start, start + length - Utf16.LengthBefore(text, start + length)));
            start += length;
        }

        return new Word([.. ids], [.. characters]);
    }
}
