namespace Apprentice.Data.Tokenizers;

/// <summary>A step that cuts a piece into smaller ones.</summary>
internal abstract class PreTokenizer
{
    public abstract void Split(Piece piece, PieceOutput output);

    /// <summary>The words that all steps, one after the other, make of a piece.</summary>
    public static List<Piece> Run(IReadOnlyList<PreTokenizer> steps, Piece piece)
    {
        var words = new ListOutput();
        PieceOutput.Through(steps, words).Add(piece);
        return words.Pieces;
    }

    private sealed class ListOutput : PieceOutput
    {
        public List<Piece> Pieces { get; } = [];

        protected override void Take(Piece piece) => Pieces.Add(piece);
    }
}

/// <summary>Where pieces go: the next step, or what becomes of words. Empty ones go nowhere.</summary>
internal abstract class PieceOutput
{
    public void Add(Piece piece)
    {
        if (piece.Length > 0)
        {
            Take(piece);
        }
    }

    protected abstract void Take(Piece piece);

    /// <summary>All steps, one after the other, the words going to <paramref name="words"/>.</summary>
    public static PieceOutput Through(IReadOnlyList<PreTokenizer> steps, PieceOutput words) =>
        steps.Reverse().Aggregate(words, (next, step) => new Step(step, next));

    private sealed class Step(PreTokenizer step, PieceOutput next) : PieceOutput
    {
        protected override void Take(Piece piece) => step.Split(piece, next);
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

    public override void Split(Piece piece, PieceOutput output)
    {
        var last = 0;
        if (behavior == SplitBehavior.Isolated)
        {
            foreach (var (start, end) in pattern.Matches(piece.Span, stackalloc PatternFrame[32]))
            {
                output.Add(piece.Slice(last, start));
                output.Add(piece.Slice(start, end));
                last = end;
            }

            output.Add(piece.Slice(last, piece.Length));
            return;
        }

        var matches = new List<(int Start, int End)>();
        pattern.Matches(piece.Span, matches);
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

    public override void Split(Piece piece, PieceOutput output) =>
        output.Add(piece.Span.StartsWith(" ") ? piece : Prepend.Apply(piece));
}

/// <summary>A normalizer that stands among the pre-tokenizers: each piece is rewritten and stays one.</summary>
internal sealed class NormalizingStep(Normalizer normalizer) : PreTokenizer
{
    public Normalizer Normalizer => normalizer;

    public override void Split(Piece piece, PieceOutput output) => output.Add(normalizer.Apply(piece));
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

    public override void Split(Piece piece, PieceOutput output)
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
    public override void Split(Piece piece, PieceOutput output)
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
