using Apprentice.Data.Batching;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Losses;

/// <summary>A loss before division: sums over machines or micro-batches can be added up.</summary>
/// <param name="Objective">Sum of weight times what is minimised.</param>
/// <param name="NegativeLogLikelihood">Sum of weight times -log p(target), without smoothing or z-loss.</param>
/// <param name="Weight">Sum of the targets' weights.</param>
public readonly record struct LossSum(double Objective, double NegativeLogLikelihood, double Weight)
{
    public static LossSum operator +(LossSum left, LossSum right) => new(
        left.Objective + right.Objective, left.NegativeLogLikelihood + right.NegativeLogLikelihood, left.Weight + right.Weight);
}

/// <summary>
/// Cross-entropy of the targets: (1 - s) * -log p(target) + s * mean over the vocabulary of -log p + z * logsumexp²,
/// with label smoothing s (Szegedy et al. 2016) and z-loss z (Chowdhery et al. 2022).
/// </summary>
public sealed record SupervisedLoss(double LabelSmoothing = 0, double ZLoss = 0)
{
    /// <summary>The sums of one micro-batch, and the gradient of Objective / totalWeight.</summary>
    /// <param name="values">[targets, 3] of <see cref="TokenLogProbabilities"/>.</param>
    /// <param name="targets">In the same order.</param>
    /// <param name="totalWeight">Of the whole optimizer step, so that micro-batches add up to it.</param>
    /// <param name="gradient">[targets, 3], overwritten; may be empty when no gradient is wanted.</param>
    public LossSum Evaluate(ReadOnlySpan<float> values, ReadOnlySpan<Target> targets, double totalWeight, Span<float> gradient)
    {
        var (objective, nll, weight) = (0.0, 0.0, 0.0);
        for (var i = 0; i < targets.Length; i++)
        {
            var row = values.Slice(3 * i, 3);
            double logP = row[TokenLogProbabilities.LogProbability];
            double logSum = row[TokenLogProbabilities.LogSumExp];
            double w = targets[i].Weight;
            objective += w * (-(1 - LabelSmoothing) * logP - LabelSmoothing * row[TokenLogProbabilities.MeanLogProbability] + ZLoss * logSum * logSum);
            nll -= w * logP;
            weight += w;
            if (!gradient.IsEmpty)
            {
                var to = gradient.Slice(3 * i, 3);
                to[TokenLogProbabilities.LogProbability] = (float)(-(1 - LabelSmoothing) * w / totalWeight);
                to[TokenLogProbabilities.LogSumExp] = (float)(2 * ZLoss * logSum * w / totalWeight);
                to[TokenLogProbabilities.MeanLogProbability] = (float)(-LabelSmoothing * w / totalWeight);
            }
        }

        return new LossSum(objective, nll, weight);
    }
}
