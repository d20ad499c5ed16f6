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

/// <summary>Turns each UTF-8 byte of a piece into the character that stands for it (<see cref="ByteAlphabet"/>).</summary>
internal sealed class ByteMapping : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        Span<byte> bytes = stackalloc byte[4];
        var rewriter = new Rewriter(piece);
        while (!rewriter.AtEnd)
        {
            var count = rewriter.Next.EncodeToUtf8(bytes);
            rewriter.Remove(1);
            for (var i = 0; i < count; i++)
            {
                rewriter.Insert(new System.Text.Rune(ByteAlphabet.Character(bytes[i])));
            }
        }

        output.Add(rewriter.Finish());
    }
}

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
