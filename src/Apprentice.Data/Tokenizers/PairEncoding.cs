namespace Apprentice.Data.Tokenizers;

/// <summary>One or two texts as tokens in one row, maybe cut to a length.</summary>
/// <param name="Ids">The token ids.</param>
/// <param name="TypeIds">Which text each token belongs to, as the tokenizer numbers them.</param>
/// <param name="SpecialTokensMask">1 where the tokenizer put a token, 0 where it stands for text.</param>
/// <param name="Offsets">For each token the range of its own text, as in <see cref="Encoding"/>.</param>
public sealed record PairEncoding(int[] Ids, int[] TypeIds, int[] SpecialTokensMask, (int Start, int End)[] Offsets)
{
    private static readonly PairEncoding Empty = new([], [], [], []);

    /// <summary>What did not fit, in further windows of the same form.</summary>
    public IReadOnlyList<PairEncoding> Overflowing { get; init; } = [];

    /// <summary>Puts texts into the parts of a template. Each text comes as its windows.</summary>
    internal static PairEncoding Assemble(TemplatePart[] parts, IReadOnlyList<List<Encoding>> texts, bool addSpecialTokens)
    {
        var row = Empty;
        foreach (var part in parts)
        {
            if (part.Text is { } text)
            {
                var windows = texts[text].Select(w => Of(w.Ids, part.Type, special: 0, w.Offsets)).ToList();
                row = row.Append(windows[0] with { Overflowing = windows[1..] });
            }
            else if (addSpecialTokens && part.Ids.Length > 0)
            {
                row = row.Append(Of(part.Ids, part.Type, special: 1, new (int, int)[part.Ids.Length]));
            }
        }

        return row;
    }

    private static PairEncoding Of(int[] ids, int type, int special, (int Start, int End)[] offsets) =>
        new(ids, [.. Enumerable.Repeat(type, ids.Length)], [.. Enumerable.Repeat(special, ids.Length)], offsets);

    // Each further window of one side goes with each of the other.
    private PairEncoding Append(PairEncoding next)
    {
        var overflowing = new List<PairEncoding>();
        foreach (var mine in Overflowing)
        {
            overflowing.Add(mine.Join(next));
            overflowing.AddRange(next.Overflowing.Select(mine.Join));
        }

        overflowing.AddRange(next.Overflowing.Select(Join));
        return Join(next) with { Overflowing = overflowing };
    }

    private PairEncoding Join(PairEncoding next) => new(
        [.. Ids, .. next.Ids], [.. TypeIds, .. next.TypeIds], [.. SpecialTokensMask, .. next.SpecialTokensMask], [.. Offsets, .. next.Offsets]);
}
