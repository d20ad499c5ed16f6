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

    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly Dictionary<int, AddedToken> _ends = [];
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">The tokens with the text under which each is found.</param>
    public AddedTokenFinder(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var firsts = new HashSet<char>();
        foreach (var (text, token) in tokens.Where(t => t.Text.Length > 0))
        {
            firsts.Add(text[0]);
            var node = 0;
            foreach (var c in text)
            {
                if (!_edges.TryGetValue((node, c), out var next))
                {
                    _edges[(node, c)] = next = _edges.Count + 1;
                }

                node = next;
            }

            _ends.TryAdd(node, token);
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
            var token = Longest(text[at..], out var length);
            if (token is null)
            {
                at++;
                continue;
            }

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

    private AddedToken? Longest(ReadOnlySpan<char> text, out int length)
    {
        AddedToken? found = null;
        length = 0;
        var node = 0;
        for (var i = 0; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_ends.TryGetValue(node, out var token))
            {
                (found, length) = (token, i + 1);
            }
        }

        return found;
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, int end) =>
        (start == 0 || !IsWord(Utf16.CodePoint(text, start - Utf16.LengthBefore(text, start), out _)))
        && (end == text.Length || !IsWord(Utf16.CodePoint(text, end, out _)));

    private static bool IsWord(int codePoint) => codePoint is 0x200C or 0x200D || CharacterSet.Word.Contains(codePoint);
}
