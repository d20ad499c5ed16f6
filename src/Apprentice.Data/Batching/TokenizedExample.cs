namespace Apprentice.Data.Batching;

/// <summary>An example as the model sees it.</summary>
/// <param name="Ids">The tokens.</param>
/// <param name="Weights">For each token its weight as a target, 0 where it is only read. The first token is never a target.</param>
/// <param name="File">Where the example came from.</param>
/// <param name="Line">One-based line there.</param>
public sealed record TokenizedExample(int[] Ids, float[] Weights, string File = "", long Line = 0)
{
    /// <summary>How many tokens are learned.</summary>
    public int Supervised => Weights.Skip(1).Count(weight => weight != 0);
}
