namespace Apprentice.Models.Generation;

/// <summary>
/// Chooses the next token from one row of logits. It knows nothing of models, caches or text, and keeps no state: the
/// caller hands it the uniform number that belongs to this seed and position, so that any answer can be repeated.
/// </summary>
public static class Sampler
{
    /// <summary>
    /// Applies the filters in the order of transformers' generate (repetition penalty, temperature, top-k, top-p, min-p),
    /// then draws; with temperature 0 it takes the largest logit after the penalty.
    /// </summary>
    /// <param name="logits">[vocabulary]; overwritten.</param>
    /// <param name="context">Ids of the prompt and of what was generated so far.</param>
    /// <param name="options">Validated options.</param>
    /// <param name="uniform">In [0, 1); not looked at when greedy.</param>
    /// <exception cref="ArithmeticException">A logit is NaN or infinite.</exception>
    public static int Next(Span<float> logits, ReadOnlySpan<int> context, SamplingOptions options, double uniform)
    {
        if (options.RepetitionPenalty != 1)
        {
            LogitsFilters.RepetitionPenalty(logits, context, options.RepetitionPenalty);
        }

        if (options.IsGreedy)
        {
            return Greedy(logits);
        }

        if (options.Temperature != 1)
        {
            LogitsFilters.Temperature(logits, options.Temperature);
        }

        if (options.TopK > 0)
        {
            LogitsFilters.TopK(logits, options.TopK);
        }

        if (options.TopP < 1)
        {
            LogitsFilters.TopP(logits, options.TopP);
        }

        if (options.MinP > 0)
        {
            LogitsFilters.MinP(logits, options.MinP);
        }

        return Draw(logits, uniform);
    }

    /// <summary>The id of the largest logit; the lowest id of those that tie.</summary>
    public static int Greedy(ReadOnlySpan<float> logits) => logits.IndexOf(LogitsFilters.Max(logits));

    /// <summary>
    /// Inverse of the cumulative distribution: the first id, in vocabulary order, whose cumulative probability
    /// exceeds <paramref name="uniform"/>.
    /// </summary>
    public static int Draw(ReadOnlySpan<float> logits, double uniform)
    {
        var (max, sum) = LogitsFilters.SoftmaxScale(logits);
        double cumulative = 0;
        var last = -1;
        for (var id = 0; id < logits.Length; id++)
        {
            var weight = Math.Exp(logits[id] - max);
            cumulative += weight;
            if (weight > 0)
            {
                last = id;
                if (cumulative > uniform * sum)
                {
                    return id;
                }
            }
        }

        return last; // rounding may leave the sum just under uniform
    }
}
