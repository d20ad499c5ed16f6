namespace Apprentice.Data.Batching;

/// <summary>
/// What one optimizer step learns from, cut into micro-batches that fit in memory. Each micro-batch's loss sum is divided by
/// <see cref="TotalWeight"/>, the weight of the whole step, so that cutting differently changes nothing but rounding.
/// </summary>
public sealed record StepBatch(IReadOnlyList<Batch> MicroBatches, double TotalWeight)
{
    /// <summary>
    /// Fills micro-batches in order with whole examples, up to <paramref name="tokenBudget"/> tokens each; an example longer
    /// than the budget is a micro-batch of its own.
    /// </summary>
    public static StepBatch Create(IReadOnlyList<TokenizedExample> examples, int tokenBudget)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenBudget);
        var batches = new List<Batch>();
        var current = new List<TokenizedExample>();
        var tokens = 0L;
        foreach (var example in examples)
        {
            if (current.Count > 0 && tokens + example.Ids.Length > tokenBudget)
            {
                batches.Add(Batch.Pack(current));
                current.Clear();
                tokens = 0;
            }

            current.Add(example);
            tokens += example.Ids.Length;
        }

        if (current.Count > 0)
        {
            batches.Add(Batch.Pack(current));
        }

        return new StepBatch(batches, batches.Sum(batch => batch.TotalWeight));
    }
}
