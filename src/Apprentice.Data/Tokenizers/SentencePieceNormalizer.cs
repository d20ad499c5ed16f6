using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// What SentencePiece does to text before cutting it: characters by the rules of the model, the longest that fits; runs of
/// spaces to one and none at the ends, where the model says so; a space before the text; spaces written ▁.
/// </summary>
/// <param name="model">The rules.</param>
/// <param name="userDefined">Pieces that stay as they are.</param>
/// <param name="prefixEverywhere">Whether text that follows a special token gets a space before it too.</param>
internal sealed class SentencePieceNormalizer(SentencePieceModel model, TokenTrie userDefined, bool prefixEverywhere) : Normalizer
{
    private readonly CharsMap? _map = model.CharsMap.Length > 0 ? new CharsMap(model.CharsMap) : null;

    /// <summary>Whether a space is put before text, where nothing else is done than to rewrite spaces; null where more is done.</summary>
    public bool? PlainPrefix =>
        _map is null && prefixEverywhere && model is { RemoveExtraSpaces: false, EscapeSpaces: true, SpaceAsSuffix: false } ? model.AddDummyPrefix : null;

    public override Piece Apply(Piece input)
    {
        var prefixed = model.AddDummyPrefix && (prefixEverywhere || input.OriginalRange.Start == 0);
        var output = new Output(model.EscapeSpaces ? ScoredPiece.Space[0] : ' ', input);
        var utf8 = new byte[System.Text.Encoding.UTF8.GetByteCount(input.Span)];
        System.Text.Encoding.UTF8.GetBytes(input.Span, utf8);
        var (at, atByte) = (0, 0);
        while (model.RemoveExtraSpaces && at < input.Length && Next(input.Span, utf8, ref at, ref atByte, peek: true) == " ")
        {
            Next(input.Span, utf8, ref at, ref atByte);
        }

        if (at == input.Length)
        {
            return input.Slice(0, 0);
        }

        if (prefixed && !model.SpaceAsSuffix)
        {
            output.Add(" ", at);
        }

        var afterSpace = model.RemoveExtraSpaces;
        while (at < input.Length)
        {
            var from = at;
            var part = Next(input.Span, utf8, ref at, ref atByte).AsSpan();
            part = afterSpace ? part.TrimStart(' ') : part;
            output.Add(part, from);
            if (part.Length > 0)
            {
                afterSpace = part[^1] == ' ';
            }

            afterSpace &= model.RemoveExtraSpaces;
        }

        var end = model.RemoveExtraSpaces ? output.TrimEnd(at) : at;
        if (prefixed && model.SpaceAsSuffix)
        {
            output.Add(" ", end);
        }

        return output.Finish(end);
    }

    /// <summary>What the next characters become, and moves past them.</summary>
    private string Next(ReadOnlySpan<char> text, ReadOnlySpan<byte> utf8, ref int at, ref int atByte, bool peek = false)
    {
        var rest = text[at..];
        string? part = null;
        if (userDefined.Longest(rest, out var length) >= 0)
        {
            part = rest[..length].ToString();
        }
        else if (_map?.Find(utf8[atByte..], longest: true, out var bytes) is { } replacement)
        {
            part = replacement;
            length = System.Text.Encoding.UTF8.GetCharCount(utf8.Slice(atByte, bytes));
        }
        else
        {
            length = Utf16.Length(text, at);
            part = rest[..length].ToString();
        }

        if (!peek)
        {
            atByte += System.Text.Encoding.UTF8.GetByteCount(rest[..length]);
            at += length;
        }

        return part;
    }

    /// <summary>The text so far, and for each unit where in the input it began.</summary>
    private sealed class Output(char space, Piece input)
    {
        private readonly StringBuilder _text = new(input.Length + 1);
        private readonly List<int> _from = new(input.Length + 1);

        public void Add(ReadOnlySpan<char> part, int from)
        {
            foreach (var c in part)
            {
                _text.Append(c == ' ' ? space : c);
                _from.Add(from);
            }
        }

        /// <summary>Drops spaces at the end; returns where in the input the text now ends.</summary>
        public int TrimEnd(int end)
        {
            while (_text.Length > 0 && _text[^1] == space)
            {
                end = _from[^1];
                _text.Length--;
                _from.RemoveAt(_from.Count - 1);
            }

            return end;
        }

        /// <summary>A character ends where the next begins, so white space that was dropped belongs to the one before it.</summary>
        public Piece Finish(int end)
        {
            var text = _text.ToString();
            var (starts, ends) = (new int[text.Length], new int[text.Length]);
            for (var i = 0; i < text.Length;)
            {
                var next = i + Utf16.Length(text, i);
                for (var start = Original(_from[i]); i < next; i++)
                {
                    (starts[i], ends[i]) = (start, Original(next < text.Length ? _from[next] : end));
                }
            }

            return new NormalizedText(text, starts, ends).Whole;
        }

        private int Original(int at) =>
            at < input.Length ? input.Source.OriginalStart(input.Start + at) : input.Length == 0 ? 0 : input.OriginalRange.End;
    }
}
