using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>Rewrites or drops single characters.</summary>
internal abstract class CharacterNormalizer : Normalizer
{
    public override Piece Apply(Piece input)
    {
        var rewriter = new Rewriter(input);
        while (!rewriter.AtEnd)
        {
            if (Map(rewriter.Next) is { } rune)
            {
                rewriter.Replace(rune);
            }
            else
            {
                rewriter.Remove(1);
            }
        }

        return rewriter.Finish();
    }

    /// <summary>What a character becomes; null drops it.</summary>
    protected abstract Rune? Map(Rune rune);
}

/// <summary>SentencePiece's rules "nmt" without NFKC: drops control characters, makes a space of all that separates.</summary>
internal sealed class NmtNormalizer : CharacterNormalizer
{
    protected override Rune? Map(Rune rune) => rune.Value switch
    {
        (>= 1 and <= 8) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => null,
        9 or 10 or 12 or 13 or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => new Rune(' '),
        _ => rune,
    };
}

/// <summary>BERT's clean-up: drops control characters and U+FFFD, makes a space of all white space.</summary>
internal sealed class CleanTextNormalizer : CharacterNormalizer
{
    protected override Rune? Map(Rune rune) =>
        rune.Value is '\t' or '\n' or '\r' ? new Rune(' ')
        : rune.Value is 0 or 0xFFFD || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse ? null
        : CharacterSet.WhiteSpace.Contains(rune.Value) ? new Rune(' ')
        : rune;
}

/// <summary>Drops marks that take no room of their own.</summary>
internal sealed class NonSpacingMarkNormalizer : CharacterNormalizer
{
    protected override Rune? Map(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? null : rune;
}

/// <summary>Puts spaces around Chinese characters.</summary>
internal sealed class ChineseCharactersNormalizer : Normalizer
{
    private static readonly CharacterSet Chinese = new(ranges:
        [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]);

    public override Piece Apply(Piece input)
    {
        var rewriter = new Rewriter(input);
        while (!rewriter.AtEnd)
        {
            var rune = rewriter.Next;
            if (Chinese.Contains(rune.Value))
            {
                rewriter.Replace(new Rune(' '));
                rewriter.Insert(rune);
                rewriter.Insert(new Rune(' '));
            }
            else
            {
                rewriter.Copy();
            }
        }

        return rewriter.Finish();
    }
}

/// <summary>Turns each UTF-8 byte of a text into the character that stands for it (<see cref="ByteAlphabet"/>).</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override Piece Apply(Piece input)
    {
        Span<byte> bytes = stackalloc byte[4];
        var rewriter = new Rewriter(input);
        while (!rewriter.AtEnd)
        {
            var count = rewriter.Next.EncodeToUtf8(bytes);
            rewriter.Remove(1);
            for (var i = 0; i < count; i++)
            {
                rewriter.Insert(new Rune(ByteAlphabet.Character(bytes[i])));
            }
        }

        return rewriter.Finish();
    }
}
