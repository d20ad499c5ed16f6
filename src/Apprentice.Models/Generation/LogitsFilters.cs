using System.Numerics.Tensors;
using System.Buffers;

namespace Apprentice.Models.Generation;

/// <summary>
/// What happens to one row of logits before a token is chosen. Each filter works in place on logits[vocabulary] and
/// sets what it removes to negative infinity. Probabilities are computed in double precision. At least one token stays.
/// The rules at the edges (ties, the token that crosses p) are those of transformers' logits processors.
/// </summary>
public static class LogitsFilters
{
    /// <summary>Divides by the temperature, which must be above 0.</summary>
    public static void Temperature(Span<float> logits, double temperature)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            logits[i] = (float)(logits[i] / temperature);
        }
    }

    /// <summary>Keeps the k largest logits, and all that tie with the k-th.</summary>
    public static void TopK(Span<float> logits, int k)
    {
        if (k >= logits.Length)
        {
            return;
        }

        // A min-heap of the k largest so far: almost every token is turned away by one comparison.
        var largest = new PriorityQueue<float, float>(k);
        foreach (var logit in logits)
        {
            if (largest.Count < k)
            {
                largest.Enqueue(logit, logit);
            }
            else if (logit > largest.Peek())
            {
                largest.EnqueueDequeue(logit, logit);
            }
        }

        RemoveBelow(logits, largest.Peek());
    }

    /// <summary>
    /// Nucleus sampling (Holtzman et al. 2020): keeps the most probable tokens until their sum reaches p, the token that
    /// crosses p included. Of equally probable tokens the lower id comes first.
    /// </summary>
    /// <param name="logits">[vocabulary]</param>
    /// <param name="p">Above 0; from 1 upwards nothing is removed.</param>
    /// <param name="atLeast">So many tokens stay, whatever their probability.</param>
    public static void TopP(Span<float> logits, double p, int atLeast = 1)
    {
        if (p >= 1)
        {
            return;
        }

        var (max, sum) = SoftmaxScale(logits);
        // Tokens below (1-p)/vocabulary cannot add up to 1-p, so none of them is kept: only the others need sorting.
        var floor = atLeast > 1 ? 0 : (1 - p) / logits.Length * sum;
        var order = ArrayPool<ulong>.Shared.Rent(logits.Length);
        var count = 0;
        for (var id = 0; id < logits.Length; id++)
        {
            if (Math.Exp(logits[id] - max) >= floor)
            {
                order[count++] = DescendingKey(logits[id], id);
            }
        }

        order.AsSpan(0, count).Sort();
        var kept = 0;
        for (var before = 0.0; kept < count && (kept < atLeast || before < p * sum); kept++)
        {
            before += Math.Exp(logits[(int)(uint)order[kept]] - max);
        }

        var survivors = order.AsSpan(0, kept);
        survivors.Sort(static (a, b) => ((uint)a).CompareTo((uint)b));
        for (int id = 0, next = 0; id < logits.Length; id++)
        {
            if (next < kept && id == (int)(uint)survivors[next])
            {
                next++;
            }
            else
            {
                logits[id] = float.NegativeInfinity;
            }
        }

        ArrayPool<ulong>.Shared.Return(order);
    }

    /// <summary>Removes tokens less probable than minP times the most probable one (Nguyen et al. 2024).</summary>
    public static void MinP(Span<float> logits, double minP)
    {
        var max = Max(logits);
        var gap = Math.Log(minP);
        for (var i = 0; i < logits.Length; i++)
        {
            if ((double)logits[i] - max < gap)
            {
                logits[i] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>
    /// Makes tokens that the context holds less likely (Keskar et al. 2019): a positive logit is divided by the penalty,
    /// a negative one multiplied, once however often the token occurs.
    /// </summary>
    public static void RepetitionPenalty(Span<float> logits, ReadOnlySpan<int> context, double penalty)
    {
        var seen = ArrayPool<bool>.Shared.Rent(logits.Length);
        Array.Clear(seen);
        foreach (var id in context)
        {
            if (!seen[id])
            {
                seen[id] = true;
                logits[id] = (float)(logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
            }
        }

        ArrayPool<bool>.Shared.Return(seen);
    }

    /// <summary>Adds to the logits of single tokens; ids that are none are passed over.</summary>
    public static void Bias(Span<float> logits, IReadOnlyDictionary<int, double> bias)
    {
        foreach (var (id, add) in bias)
        {
            if ((uint)id < (uint)logits.Length)
            {
                logits[id] = (float)(logits[id] + add);
            }
        }
    }

    /// <summary>Takes away presence once, and frequency each time, from tokens that the answer has already (OpenAI's API).</summary>
    /// <param name="answer">Ids of what was generated so far.</param>
    public static void OccurrencePenalties(Span<float> logits, ReadOnlySpan<int> answer, double frequency, double presence)
    {
        if (frequency == 0 && presence == 0)
        {
            return;
        }

        var counts = new Dictionary<int, int>();
        foreach (var id in answer)
        {
            counts[id] = counts.GetValueOrDefault(id) + 1;
        }

        foreach (var (id, count) in counts)
        {
            logits[id] = (float)(logits[id] - count * frequency - presence);
        }
    }

    /// <summary>The largest logit, and the sum of exp(logit - largest): what softmax divides by.</summary>
    /// <exception cref="ArithmeticException">A logit is NaN or positive infinity, or none is finite.</exception>
    internal static (double Max, double Sum) SoftmaxScale(ReadOnlySpan<float> logits)
    {
        double max = Max(logits), sum = 0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - max);
        }

        return (max, sum);
    }

    /// <exception cref="ArithmeticException">A logit is NaN or positive infinity, or none is finite.</exception>
    internal static float Max(ReadOnlySpan<float> logits)
    {
        var max = TensorPrimitives.Max(logits); // NaN where any is
        if (float.IsFinite(max))
        {
            return max;
        }

        for (var id = 0; id < logits.Length; id++)
        {
            if (float.IsNaN(logits[id]) || float.IsPositiveInfinity(logits[id]))
            {
                throw new ArithmeticException($"the logit of token {id} is {(float.IsNaN(logits[id]) ? "NaN" : "infinite")}");
            }
        }

        throw new ArithmeticException("no logit is finite, so no token can be chosen");
    }

    private static void RemoveBelow(Span<float> logits, float threshold)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            if (logits[i] < threshold)
            {
                logits[i] = float.NegativeInfinity;
            }
        }
    }

    // Ascending order of these keys is descending order of logits, then ascending order of ids.
    private static ulong DescendingKey(float logit, int id)
    {
        var bits = BitConverter.SingleToUInt32Bits(logit + 0f); // + 0 makes -0 and 0 tie
        var ascending = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return (ulong)~ascending << 32 | (uint)id;
    }
}
