using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>A step that rewrites text before it is cut into pieces.</summary>
internal abstract class Normalizer
{
    public abstract Piece Apply(Piece input);
}

/// <summary>Normalizers one after the other.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public IReadOnlyList<Normalizer> Steps => steps;

    public override Piece Apply(Piece input) => steps.Aggregate(input, (piece, step) => step.Apply(piece));
}

internal sealed class LowercaseNormalizer : Normalizer
{
    public override Piece Apply(Piece input)
    {
        var rewriter = new Rewriter(input);
        while (!rewriter.AtEnd)
        {
            var rune = rewriter.Next;
            if (rune.Value == 'İ')
            {
                // The only character whose lower case is two characters.
                rewriter.Replace(new Rune('i'));
                rewriter.Insert(new Rune('\u0307'));
            }
            else
            {
                rewriter.Replace(Rune.ToLowerInvariant(rune));
            }
        }

        return rewriter.Finish();
    }
}

/// <summary>Removes all marks; meant to follow NFD.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override Piece Apply(Piece input)
    {
        var rewriter = new Rewriter(input);
        while (!rewriter.AtEnd)
        {
            if (Rune.GetUnicodeCategory(rewriter.Next) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark)
            {
                rewriter.Remove(1);
            }
            else
            {
                rewriter.Copy();
            }
        }

        return rewriter.Finish();
    }
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override Piece Apply(Piece input)
    {
        var span = input.Span;
        var start = left ? span.Length - span.TrimStart().Length : 0;
        var end = right ? Math.Max(start, span.TrimEnd().Length) : span.Length;
        return input.Slice(start, end);
    }
}

/// <summary>Puts text before a piece that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public string Prefix => prefix;

    public override Piece Apply(Piece input)
    {
        if (input.Length == 0 || prefix.Length == 0)
        {
            return input;
        }

        var rewriter = new Rewriter(input);
        var first = rewriter.Next;
        rewriter.Remove(1); // what is put before has the range of the first character
        foreach (var rune in prefix.EnumerateRunes())
        {
            rewriter.Insert(rune);
        }

        rewriter.Insert(first);
        return rewriter.Finish();
    }
}

/// <summary>Replaces every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(Pattern pattern, string content) : Normalizer
{
    public Pattern Pattern => pattern;

    public string Content => content;

    public override Piece Apply(Piece input)
    {
        var matches = new List<(int Start, int End)>();
        pattern.Matches(input.Span, matches);
        if (matches.Count == 0)
        {
            return input;
        }

        var rewriter = new Rewriter(input);
        foreach (var (start, end) in matches)
        {
            rewriter.CopyTo(start);
            rewriter.RemoveTo(end);
            foreach (var rune in content.EnumerateRunes())
            {
                rewriter.Insert(rune);
            }
        }

        return rewriter.Finish();
    }
}
