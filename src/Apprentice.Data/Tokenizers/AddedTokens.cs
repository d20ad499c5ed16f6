using System.Buffers;

namespace Apprentice.Data.Tokenizers;

/// <summary>A token that is found in the text as it stands, before any splitting.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether it steers the model (such as an end of turn) and is no text.</param>
/// <param name="Normalized">Whether it is looked for in normalized text, itself normalized.</param>
/// <param name="StripLeft">Whether it takes the white space before it.</param>
/// <param name="StripRight">Whether it takes the white space after it.</param>
/// <param name="SingleWord">Whether it counts only where no word character touches it.</param>
internal sealed record AddedToken(int Id, string Content, bool Special = false, bool Normalized = false, bool StripLeft = false, bool StripRight = false, bool SingleWord = false);

/// <summary>Finds added tokens in text, leftmost first, then longest, by a trie over UTF-16 units.</summary>
internal sealed class AddedTokenFinder
{
    /// <summary>Longest text of an added token, which bounds the work a character.</summary>
    public const int MaxLength = 256;

    private readonly TokenTrie _trie = new();
    private readonly List<AddedToken> _tokens = [];
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">The tokens with the text under which each is found.</param>
    public AddedTokenFinder(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var firsts = new HashSet<char>();
        foreach (var (text, token) in tokens.Where(t => t.Text.Length > 0))
        {
            firsts.Add(text[0]);
            _trie.Add(text, _tokens.Count);
            _tokens.Add(token);
        }

        _firsts = SearchValues.Create([.. firsts]);
    }

    /// <summary>Cuts a piece into stretches of text (no token) and added tokens.</summary>
    public void Cut(Piece piece, bool specialAsText, List<(Piece Piece, AddedToken? Token)> output)
    {
        var text = piece.Span;
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            var skip = text[at..].IndexOfAny(_firsts);
            if (skip < 0)
            {
                break;
            }

            at += skip;
            var found = _trie.Longest(text[at..], out var length);
            if (found < 0)
            {
                at++;
                continue;
            }

            var token = _tokens[found];
            var (start, end) = (at, at + length);
            at = end;
            if ((specialAsText && token.Special) || (token.SingleWord && !StandsAlone(text, start, end)))
            {
                continue;
            }

            if (token.StripLeft)
            {
                start = text[..start].TrimEnd().Length;
            }

            if (token.StripRight)
            {
                end = text.Length - text[end..].TrimStart().Length;
            }

            // White space that the token before has taken stays with that one.
            start = Math.Max(start, done);
            if (end <= start)
            {
                continue;
            }

            if (start > done)
            {
                output.Add((piece.Slice(done, start), null));
            }

            output.Add((piece.Slice(start, end), token));
            done = end;
        }

        if (done < text.Length)
        {
            output.Add((piece.Slice(done, text.Length), null));
        }
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, int end) =>
        (start == 0 || !IsWord(Utf16.CodePoint(text, start - Utf16.LengthBefore(text, start), out _)))
        && (end == text.Length || !IsWord(Utf16.CodePoint(text, end, out _)));

    private static bool IsWord(int codePoint) => codePoint is 0x200C or 0x200D || CharacterSet.Word.Contains(codePoint);
}
