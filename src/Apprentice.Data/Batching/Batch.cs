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
/// <param name="Example">Which of the packed examples says so.</param>
public readonly record struct Target(int Source, int Token, float Weight, int Example = 0);

/// <summary>
/// Examples packed into one row of tokens, without padding. Attention is stated by the segments alone.
/// </summary>
/// <param name="Ids">[tokens]</param>
/// <param name="Positions">[tokens], from 0 in every example</param>
/// <param name="Segments">in the order of their tokens</param>
/// <param name="Targets">example after example; several may have one source where examples share their beginning</param>
public sealed record Batch(int[] Ids, int[] Positions, Segment[] Segments, Target[] Targets)
{
    /// <summary>Tokens of the examples, a shared one counted for each of them.</summary>
    public int ExampleTokens { get; init; } = Ids.Length;

    /// <summary>Sum of the targets' weights.</summary>
    public double TotalWeight => Targets.Sum(target => (double)target.Weight);

    /// <summary>
    /// Packs examples. The last token of one never predicts the first of the next, since targets are (source, token) pairs.
    /// </summary>
    /// <param name="sharePrefixes">
    /// False: one after the other, block-diagonally, each one segment with positions from 0. True: a beginning that several
    /// examples have in common is there once, as the parent of what follows it in each. The gradients are the same.
    /// </param>
    public static Batch Pack(IReadOnlyList<TokenizedExample> examples, bool sharePrefixes = false) =>
        new BatchPacker(examples).Pack(sharePrefixes);
}
