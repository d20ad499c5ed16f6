namespace Apprentice.Data.Metrics;

/// <summary>A mean and its 95% confidence interval.</summary>
public readonly record struct MetricValue(double Value, double Low, double High);

/// <summary>Confidence intervals for what was measured on a sample of examples.</summary>
public static class Intervals
{
    private const double Z95 = 1.959963984540054; // standard normal quantile at 0.975
    private const int Resamples = 1000;

    /// <summary>Wilson's score interval for <paramref name="successes"/> of <paramref name="count"/> (Wilson, 1927).</summary>
    public static MetricValue Wilson(int successes, int count, double z = Z95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var share = (double)successes / count;
        var scale = 1 + (z * z / count);
        var centre = (share + (z * z / (2.0 * count))) / scale;
        var half = z * Math.Sqrt((share * (1 - share) / count) + (z * z / (4.0 * count * count))) / scale;
        return new MetricValue(share, successes == 0 ? 0 : centre - half, successes == count ? 1 : centre + half);
    }

    /// <summary>Percentile bootstrap of the mean with 1,000 resamples (Efron, 1979); the same seed gives the same interval.</summary>
    /// <param name="weights">Of the values in the mean, above 0; null: 1 each.</param>
    public static MetricValue Bootstrap(IReadOnlyList<double> values, ulong seed, IReadOnlyList<double>? weights = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(values.Count);
        var random = new CounterRandom(seed, RandomStream.Bootstrap);
        return Bootstrap(values, Resamples, (resample, i) => random.Below(values.Count, ((ulong)resample * (ulong)values.Count) + (ulong)i), weights);
    }

    /// <summary>The same where entry i of a resample is value number <paramref name="draw"/>(resample, i).</summary>
    internal static MetricValue Bootstrap(IReadOnlyList<double> values, int resamples, Func<int, int, int> draw, IReadOnlyList<double>? weights = null)
    {
        var means = new double[resamples];
        for (var resample = 0; resample < resamples; resample++)
        {
            means[resample] = Mean(i => draw(resample, i));
        }

        Array.Sort(means);
        return new MetricValue(Mean(i => i), Percentile(means, 0.025), Percentile(means, 0.975));

        double Mean(Func<int, int> pick)
        {
            var (sum, weight) = (0.0, 0.0);
            for (var i = 0; i < values.Count; i++)
            {
                var index = pick(i);
                var w = weights?[index] ?? 1;
                sum += w * values[index];
                weight += w;
            }

            return sum / weight;
        }
    }

    /// <summary>Linear interpolation between the sorted values, as numpy's default.</summary>
    private static double Percentile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)Math.Floor(place);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
