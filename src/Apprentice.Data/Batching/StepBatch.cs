namespace Apprentice.Data.Batching;

/// <summary>
/// What one optimizer step learns from, cut into micro-batches that fit in memory. Each micro-batch's loss sum is divided by
/// <see cref="TotalWeight"/>, the weight of the whole step, so that cutting differently changes nothing but rounding.
/// </summary>
public sealed record StepBatch(IReadOnlyList<Batch> MicroBatches, double TotalWeight)
{
    /// <summary>
    /// Fills micro-batches in order with whole examples, up to <paramref name="tokenBudget"/> tokens each after sharing; an
    /// example longer than the budget is a micro-batch of its own.
    /// </summary>
    /// <param name="sharePrefixes">As <see cref="Batch.Pack"/> has it, within each micro-batch.</param>
    public static StepBatch Create(IReadOnlyList<TokenizedExample> examples, int tokenBudget, bool sharePrefixes = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenBudget);
        var batches = new List<Batch>();
        var first = 0;
        while (first < examples.Count)
        {
            var batch = Fill(examples, first, tokenBudget, sharePrefixes, out var count);
            batches.Add(batch);
            first += count;
        }

        return new StepBatch(batches, batches.Sum(batch => batch.TotalWeight));
    }

    /// <summary>The longest run of examples from <paramref name="first"/> on that fits.</summary>
    private static Batch Fill(IReadOnlyList<TokenizedExample> examples, int first, int budget, bool share, out int count)
    {
        count = 0;
        var tokens = 0L;
        while (first + count < examples.Count && (count == 0 || tokens + examples[first + count].Ids.Length <= budget))
        {
            tokens += examples[first + count++].Ids.Length;
        }

        var batch = Pack(examples, first, count, share);

        // What sharing saved is room for more. Each round packs again, but there are few.
        while (share && first + count < examples.Count)
        {
            var (more, room) = (0, (long)budget - batch.Ids.Length);
            while (first + count + more < examples.Count && room >= examples[first + count + more].Ids.Length)
            {
                room -= examples[first + count + more++].Ids.Length;
            }

            // One more example can also split what the others share.
            var larger = more == 0 ? batch : Pack(examples, first, count + more, share);
            if (more == 0 || larger.Ids.Length > budget)
            {
                break;
            }

            (batch, count) = (larger, count + more);
        }

        return batch;
    }

    private static Batch Pack(IReadOnlyList<TokenizedExample> examples, int first, int count, bool share) =>
        Batch.Pack([.. Enumerable.Range(first, count).Select(i => examples[i])], share);
}
