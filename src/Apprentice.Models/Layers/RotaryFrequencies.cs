using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Layers;

/// <summary>
/// How fast each pair of dimensions rotates, in radians a position, with the scalings that stretch a model's context.
/// Formulas as in transformers' modeling_rope_utils.
/// </summary>
/// <param name="Dimensions">Rotary dimensions of a head.</param>
/// <param name="Base">theta.</param>
/// <param name="Scaling">default, linear, dynamic, llama3 or yarn.</param>
public sealed record RotaryFrequencies(int Dimensions, double Base, string Scaling = "default")
{
    public double Factor { get; init; } = 1;

    public double LowFrequencyFactor { get; init; } = 1;

    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Context length before stretching; for dynamic scaling the length from which the base grows.</summary>
    public int OriginalContext { get; init; }

    public double BetaFast { get; init; } = 32;

    public double BetaSlow { get; init; } = 1;

    /// <summary>Whether YaRN rounds its ramp to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Divisors of the plain frequencies, one a pair (GGUF's rope_freqs), or null.</summary>
    public float[]? Divisors { get; init; }

    /// <summary>Multiplies cosine and sine.</summary>
    public double Amplitude { get; init; } = 1;

    /// <summary>From <c>rope_parameters</c> (transformers 5) or <c>rope_theta</c> and <c>rope_scaling</c> (4).</summary>
    /// <exception cref="InputException">A kind of scaling that is not supported, or a field that makes no sense.</exception>
    public static RotaryFrequencies FromConfig(ModelConfig config, int dimensions, int context)
    {
        var settings = config.Object("rope_parameters") ?? config.Object("rope_scaling");
        var kind = settings?.String("rope_type") ?? settings?.String("type") ?? "default";
        var theta = settings?.Number("rope_theta") ?? config.Number("rope_theta") ?? 10_000;
        var plain = new RotaryFrequencies(dimensions, theta, kind);
        if (settings is null || kind == "default")
        {
            return plain;
        }

        var original = settings.FindSize("original_max_position_embeddings") ?? config.FindSize("original_max_position_embeddings") ?? context;
        var scaled = plain with
        {
            Factor = settings.Number("factor") ?? throw settings.Wrong("factor", "a number"),
            OriginalContext = kind == "dynamic" ? context : original,
            LowFrequencyFactor = settings.Number("low_freq_factor") ?? 1,
            HighFrequencyFactor = settings.Number("high_freq_factor") ?? 4,
            BetaFast = settings.Number("beta_fast") ?? 32,
            BetaSlow = settings.Number("beta_slow") ?? 1,
            Truncate = settings.Bool("truncate", otherwise: true),
        };
        return kind switch
        {
            "linear" or "dynamic" or "llama3" => scaled,
            "yarn" => scaled with { Amplitude = settings.Number("attention_factor") ?? YarnAmplitude(settings, scaled.Factor) },
            _ => throw settings.Wrong("rope_type", $"default, linear, dynamic, llama3 or yarn, not {kind}"),
        };
    }

    /// <summary>
    /// As the fields of a config.json in both spellings: rope_theta and rope_scaling (transformers 4) and rope_parameters (5).
    /// </summary>
    /// <exception cref="NotSupportedException">Divisors that are no known kind of scaling.</exception>
    public void WriteTo(JsonObject config)
    {
        var known = RotaryDivisors.AsScaling(this) ?? throw new NotSupportedException("the divisors of the rotary frequencies (rope_freqs) are no kind of scaling that config.json knows");
        var scaling = new JsonObject { ["rope_type"] = known.Scaling };
        if (known.Scaling != "default")
        {
            scaling["factor"] = known.Factor;
        }

        if (known.Scaling == "llama3")
        {
            scaling["low_freq_factor"] = known.LowFrequencyFactor;
            scaling["high_freq_factor"] = known.HighFrequencyFactor;
            scaling["original_max_position_embeddings"] = known.OriginalContext;
        }
        else if (known.Scaling is not ("default" or "linear"))
        {
            throw new NotSupportedException($"rotary scaling '{known.Scaling}' is not written yet");
        }

        config["rope_theta"] = known.Base;
        config["rope_scaling"] = known.Scaling == "default" ? null : scaling.DeepClone();
        scaling["rope_theta"] = known.Base;
        config["rope_parameters"] = scaling;
    }

    /// <summary>One frequency a pair, for a batch whose largest position is given (only dynamic scaling looks at it).</summary>
    public double[] Inverse(int largestPosition)
    {
        var theta = Base;
        if (Scaling == "dynamic" && largestPosition + 1 > OriginalContext)
        {
            theta *= Math.Pow(Factor * (largestPosition + 1) / OriginalContext - (Factor - 1), Dimensions / (Dimensions - 2.0));
        }

        var inverse = new double[Dimensions / 2];
        for (var i = 0; i < inverse.Length; i++)
        {
            var plain = Math.Pow(theta, -2.0 * i / Dimensions) / (Divisors?[i] ?? 1);
            inverse[i] = Scaling switch
            {
                "linear" => plain / Factor,
                "llama3" => Llama3(plain),
                "yarn" => Yarn(plain, i),
                _ => plain,
            };
        }

        return inverse;
    }

    /// <summary>Long waves are slowed by the factor, short ones kept, those between blended (Llama 3.1).</summary>
    private double Llama3(double plain)
    {
        var wavelength = 2 * Math.PI / plain;
        if (wavelength > OriginalContext / LowFrequencyFactor)
        {
            return plain / Factor;
        }

        if (wavelength < OriginalContext / HighFrequencyFactor)
        {
            return plain;
        }

        var smooth = (OriginalContext / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - smooth) * plain / Factor + smooth * plain;
    }

    /// <summary>A ramp over the dimensions from kept to slowed (Peng et al. 2023).</summary>
    private double Yarn(double plain, int pair)
    {
        var low = RampEnd(BetaFast);
        var high = RampEnd(BetaSlow);
        if (Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, Dimensions - 1);
        high += low == high ? 0.001 : 0;
        var ramp = Math.Clamp((pair - low) / (high - low), 0, 1);
        return plain / Factor * ramp + plain * (1 - ramp);
    }

    private double RampEnd(double rotations) =>
        Dimensions * Math.Log(OriginalContext / (2 * Math.PI * rotations)) / (2 * Math.Log(Base));

    private static double YarnAmplitude(ModelConfig settings, double factor)
    {
        double Of(double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;
        return settings.Number("mscale") is { } mscale && settings.Number("mscale_all_dim") is { } all && mscale != 0 && all != 0
            ? Of(mscale) / Of(all)
            : Of(1);
    }
}
