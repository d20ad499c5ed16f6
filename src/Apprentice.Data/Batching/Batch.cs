namespace Apprentice.Data.Batching;

/// <summary>
/// Tokens that attend causally to each other and to all of their ancestors, and to nothing else.
/// </summary>
/// <param name="Start">First token, as an index into the batch.</param>
/// <param name="Length">Number of tokens.</param>
/// <param name="Parent">Index of the segment that comes before this one in its text, or -1 where the text begins here.</param>
public readonly record struct Segment(int Start, int Length, int Parent = -1);

/// <summary>One thing to learn: after the token at <paramref name="Source"/> comes <paramref name="Token"/>.</summary>
/// <param name="Source">Index into the batch of the token that predicts.</param>
/// <param name="Token">Id of the token that is predicted.</param>
/// <param name="Weight">Its share in the loss.</param>
public readonly record struct Target(int Source, int Token, float Weight);

/// <summary>
/// Examples packed into one row of tokens, without padding. Attention is stated by the segments alone.
/// </summary>
/// <param name="Ids">[tokens]</param>
/// <param name="Positions">[tokens], from 0 in every example</param>
/// <param name="Segments">in the order of their tokens</param>
/// <param name="Targets">in the order of their sources</param>
public sealed record Batch(int[] Ids, int[] Positions, Segment[] Segments, Target[] Targets)
{
    /// <summary>Sum of the targets' weights.</summary>
    public double TotalWeight => Targets.Sum(target => (double)target.Weight);

    /// <summary>
    /// Packs examples one after the other, block-diagonally: each is one segment with positions from 0, and the last token of
    /// one never predicts the first of the next, since targets are (source, token) pairs within a segment.
    /// </summary>
    public static Batch Pack(IReadOnlyList<TokenizedExample> examples)
    {
        var length = examples.Sum(example => example.Ids.Length);
        var ids = new int[length];
        var positions = new int[length];
        var segments = new Segment[examples.Count];
        var targets = new List<Target>();
        var start = 0;
        for (var e = 0; e < examples.Count; e++)
        {
            var (tokens, weights) = (examples[e].Ids, examples[e].Weights);
            segments[e] = new Segment(start, tokens.Length);
            for (var i = 0; i < tokens.Length; i++)
            {
                ids[start + i] = tokens[i];
                positions[start + i] = i;
                if (i > 0 && weights[i] != 0)
                {
                    targets.Add(new Target(start + i - 1, tokens[i], weights[i]));
                }
            }

            start += tokens.Length;
        }

        return new Batch(ids, positions, segments, [.. targets]);
    }
}
