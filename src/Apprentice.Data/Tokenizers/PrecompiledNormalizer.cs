using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// SentencePiece's rules as Hugging Face tokenizers apply them: a grapheme of less than 6 bytes as a whole, by the first
/// rule that its beginning fits, else character by character.
/// </summary>
internal sealed class PrecompiledNormalizer(CharsMap map) : Normalizer
{
    private const int ShortGrapheme = 6;

    public override Piece Apply(Piece input)
    {
        var text = input.Span;
        var changes = new List<(Rune Rune, int Change)>(text.Length);
        var modified = false;
        for (var at = 0; at < text.Length;)
        {
            var end = at + StringInfo.GetNextTextElementLength(text[at..]);
            if (System.Text.Encoding.UTF8.GetByteCount(text[at..end]) >= ShortGrapheme || !Rewrite(text[at..end], changes))
            {
                for (var i = at; i < end; i += Utf16.Length(text, i))
                {
                    var character = text.Slice(i, Utf16.Length(text, i));
                    if (Rewrite(character, changes))
                    {
                        modified = true;
                    }
                    else
                    {
                        changes.Add((new Rune(Utf16.CodePoint(text, i, out _)), 0));
                    }
                }
            }
            else
            {
                modified = true;
            }

            at = end;
        }

        return modified ? new Rewriter(input).Transform(changes) : input;
    }

    private bool Rewrite(ReadOnlySpan<char> part, List<(Rune Rune, int Change)> changes)
    {
        Span<byte> utf8 = stackalloc byte[2 * ShortGrapheme];
        if (map.Find(utf8[..System.Text.Encoding.UTF8.GetBytes(part, utf8)], longest: false, out _) is not { } replacement)
        {
            return false;
        }

        // The reference's bookkeeping: what is too much counts as added, what is too little falls to the character before.
        var more = Utf16.Count(replacement) - Utf16.Count(part);
        foreach (var rune in replacement.EnumerateRunes())
        {
            changes.Add((rune, 0));
        }

        for (var i = 1; i <= more; i++)
        {
            changes[^i] = (changes[^i].Rune, 1);
        }

        if (more < 0 && changes.Count > 0)
        {
            changes[^1] = (changes[^1].Rune, changes[^1].Change + more);
        }

        return true;
    }
}
