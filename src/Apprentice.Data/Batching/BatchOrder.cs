namespace Apprentice.Data.Batching;

/// <summary>
/// Which examples each optimizer step learns from: every epoch goes once through all of them in an order of its own. A pure
/// function of seed and step, so a resumed run needs to know nothing but its step.
/// </summary>
public sealed class BatchOrder
{
    private readonly ulong _seed;
    private (long Epoch, int[] Order)? _last; // only to save time

    /// <param name="count">Number of examples.</param>
    /// <param name="batchSize">Examples in a step; the last step of an epoch has what is left over.</param>
    /// <param name="seed">The run's seed.</param>
    public BatchOrder(int count, int batchSize, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (Count, BatchSize, _seed) = (count, batchSize, seed);
    }

    public int Count { get; }

    public int BatchSize { get; }

    /// <summary>Steps in an epoch.</summary>
    public int StepsPerEpoch => (int)(((long)Count + BatchSize - 1) / BatchSize);

    /// <summary>The indices, into the examples, of step <paramref name="step"/> (from 0).</summary>
    public ReadOnlySpan<int> Step(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var (epoch, within) = Math.DivRem(step, StepsPerEpoch);
        var start = (int)(within * BatchSize);
        return Epoch(epoch).AsSpan(start, Math.Min(BatchSize, Count - start));
    }

    private int[] Epoch(long epoch)
    {
        if (_last is not { } last || last.Epoch != epoch)
        {
            _last = last = (epoch, new CounterRandom(_seed, RandomStream.EpochOrder, (ulong)epoch).Permutation(Count));
        }

        return last.Order;
    }
}
