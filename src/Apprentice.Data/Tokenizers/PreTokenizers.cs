namespace Apprentice.Data.Tokenizers;

/// <summary>A step that cuts a piece into smaller ones. Empty pieces are never added to the output.</summary>
internal abstract class PreTokenizer
{
    public abstract void Split(Piece piece, List<Piece> output);

    /// <summary>All steps, one after the other, over one piece.</summary>
    public static List<Piece> Run(IReadOnlyList<PreTokenizer> steps, Piece piece)
    {
        var pieces = new List<Piece>();
        if (piece.Length > 0)
        {
            pieces.Add(piece);
        }

        foreach (var step in steps)
        {
            var next = new List<Piece>(pieces.Count);
            foreach (var p in pieces)
            {
                step.Split(p, next);
            }

            pieces = next;
        }

        return pieces;
    }
}

/// <summary>What becomes of the matches of a splitting pattern.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>Cuts at the matches of a pattern; <paramref name="invert"/> makes what does not match the matches.</summary>
internal sealed class PatternSplit(Pattern pattern, SplitBehavior behavior, bool invert = false) : PreTokenizer
{
    public Pattern Pattern => pattern;

    /// <summary>Whether matches are pieces and what lies between them, too.</summary>
    public bool IsPlain => behavior == SplitBehavior.Isolated && !invert;

    public override void Split(Piece piece, List<Piece> output)
    {
        var matches = new List<(int Start, int End)>();
        pattern.Matches(piece.Span, matches);
        var last = 0;
        if (behavior == SplitBehavior.Isolated)
        {
            foreach (var (start, end) in matches)
            {
                AddPiece(piece, last, start, output);
                AddPiece(piece, start, end, output);
                last = end;
            }

            AddPiece(piece, last, piece.Length, output);
            return;
        }

        var spans = new List<(int Start, int End, bool Match)>(matches.Count);
        foreach (var (start, end) in matches)
        {
            if (start > last)
            {
                spans.Add((last, start, invert));
            }

            spans.Add((start, end, !invert));
            last = end;
        }

        if (last < piece.Length)
        {
            spans.Add((last, piece.Length, invert));
        }

        foreach (var (start, end) in Merge(spans))
        {
            AddPiece(piece, start, end, output);
        }
    }

    private static void AddPiece(Piece piece, int start, int end, List<Piece> output)
    {
        if (end > start)
        {
            output.Add(piece.Slice(start, end));
        }
    }

    private IEnumerable<(int Start, int End)> Merge(List<(int Start, int End, bool Match)> spans) => behavior switch
    {
        SplitBehavior.Removed => spans.Where(s => !s.Match).Select(s => (s.Start, s.End)),
        SplitBehavior.Contiguous => Join(spans, (previous, span) => previous.Match == span.Match),
        SplitBehavior.MergedWithPrevious => Join(spans, (previous, span) => span.Match && !previous.Match),
        _ => Join(spans, (previous, span) => previous.Match && !span.Match), // merged with the next
    };

    private static IEnumerable<(int Start, int End)> Join(List<(int Start, int End, bool Match)> spans, Func<(int Start, int End, bool Match), (int Start, int End, bool Match), bool> joins)
    {
        for (var i = 0; i < spans.Count;)
        {
            var first = i++;
            while (i < spans.Count && joins(spans[i - 1], spans[i]))
            {
                i++;
            }

            yield return (spans[first].Start, spans[i - 1].End);
        }
    }
}

/// <summary>Puts a space before a piece that does not begin with one.</summary>
internal sealed class PrefixSpace : PreTokenizer
{
    private static readonly PrependNormalizer Prepend = new(" ");

    public override void Split(Piece piece, List<Piece> output) =>
        output.Add(piece.Span.StartsWith(" ") ? piece : Prepend.Apply(piece));
}

/// <summary>A normalizer that stands among the pre-tokenizers: each piece is rewritten and stays one.</summary>
internal sealed class NormalizingStep(Normalizer normalizer) : PreTokenizer
{
    public Normalizer Normalizer => normalizer;

    public override void Split(Piece piece, List<Piece> output) => output.Add(normalizer.Apply(piece));
}

/// <summary>
/// SentencePiece's white space: spaces become another character, which is put before the text too and begins each piece.
/// </summary>
/// <param name="replacement">Usually "▁".</param>
/// <param name="prepend">Where the replacement is put before a piece that does not begin with it.</param>
/// <param name="split">Whether the piece is cut before each replacement.</param>
internal sealed class MetaspaceSplit(string replacement, MetaspacePrepend prepend, bool split) : PreTokenizer
{
    private readonly PrependNormalizer _prefix = new(replacement);
    private readonly ReplaceNormalizer _replace = new(Pattern.Literal(" "), replacement);
    private readonly PatternSplit _split = new(Pattern.Literal(replacement), SplitBehavior.MergedWithNext);

    public override void Split(Piece piece, List<Piece> output)
    {
        var replaced = _replace.Apply(piece);
        var prefixed = prepend == MetaspacePrepend.Always || (prepend == MetaspacePrepend.First && piece.OriginalRange.Start == 0);
        if (prefixed && !replaced.Span.StartsWith(replacement, StringComparison.Ordinal))
        {
            replaced = _prefix.Apply(replaced);
        }

        if (split)
        {
            _split.Split(replaced, output);
        }
        else
        {
            output.Add(replaced);
        }
    }
}

internal enum MetaspacePrepend { First, Never, Always }

/// <summary>Cuts every so many characters.</summary>
internal sealed class FixedLengthSplit(int length) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        for (var start = 0; start < piece.Length;)
        {
            var end = start;
            for (var i = 0; i < length && end < piece.Length; i++)
            {
                end += Utf16.Length(piece.Span, end);
            }

            output.Add(piece.Slice(start, end));
            start = end;
        }
    }
}
