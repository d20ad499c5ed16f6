namespace Apprentice.Models.Layers;

/// <summary>
/// What a list of frequency divisors, as GGUF files carry it (rope_freqs), says in the terms of a config.json: no
/// scaling, linear scaling, or the scaling of Llama 3.1.
/// </summary>
internal static class RotaryDivisors
{
    private const double Tolerance = 1e-4; // relative: the divisors are stored as float32, the settings are round numbers

    /// <summary>The same frequencies without divisors, or null where no known scaling gives them.</summary>
    public static RotaryFrequencies? AsScaling(RotaryFrequencies frequencies)
    {
        if (frequencies.Divisors is not { Length: > 0 } divisors)
        {
            return frequencies;
        }

        var plain = frequencies with { Divisors = null };
        return Candidates(plain, divisors).FirstOrDefault(candidate => frequencies.Scaling == "default" && Same(candidate, frequencies));
    }

    private static IEnumerable<RotaryFrequencies> Candidates(RotaryFrequencies plain, float[] divisors)
    {
        var factor = Math.Round(divisors.Max(), 4);
        yield return plain;
        yield return plain with { Scaling = "linear", Factor = factor };
        var llama3 = plain with { Scaling = "llama3", Factor = factor, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContext = 8192 };
        yield return llama3; // as published
        if (Blend(plain, divisors, factor) is { } blend)
        {
            yield return llama3 with { HighFrequencyFactor = Math.Round(blend.High, 4), OriginalContext = (int)Math.Round(blend.Context) };
        }
    }

    /// <summary>
    /// Between kept and slowed, 1/divisor = (1 - s)/factor + s with s linear in frequency / 2π: slope context / (high - 1) and
    /// start -1 / (high - 1), for a low factor of 1 (scaling context and both factors alike changes nothing).
    /// </summary>
    private static (double High, double Context)? Blend(RotaryFrequencies plain, float[] divisors, double factor)
    {
        var inverse = plain.Inverse(0);
        var points = Enumerable.Range(0, divisors.Length)
            .Where(i => divisors[i] > 1 + Tolerance && divisors[i] < factor * (1 - Tolerance))
            .Select(i => (X: inverse[i] / (2 * Math.PI), S: (1 / (double)divisors[i] - 1 / factor) / (1 - 1 / factor)))
            .ToArray();
        if (points.Length < 2)
        {
            return null;
        }

        var (first, last) = (points[0], points[^1]);
        var slope = (last.S - first.S) / (last.X - first.X);
        var start = first.S - slope * first.X;
        var high = 1 - 1 / start;
        var context = slope * (high - 1);
        return high > 1 && context is >= 1 and <= 1 << 24 ? (high, context) : null;
    }

    private static bool Same(RotaryFrequencies left, RotaryFrequencies right) =>
        left.Inverse(0).Zip(right.Inverse(0)).All(p => Math.Abs(p.First - p.Second) <= Tolerance * p.Second);
}
