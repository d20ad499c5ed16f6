using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Layers;

/// <summary>How config.json says it, in the spellings of transformers 4 and 5.</summary>
public sealed partial record RotaryFrequencies
{
    /// <summary>From <c>rope_parameters</c> (transformers 5) or <c>rope_theta</c> and <c>rope_scaling</c> (4).</summary>
    /// <param name="headWidth">Dimensions of a head, of which a <c>partial_rotary_factor</c> may leave some alone.</param>
    /// <param name="context">Tokens that the model was made for.</param>
    /// <param name="theta">The base where none is given.</param>
    /// <param name="layerType">Whose settings count where there are some for each type of layer.</param>
    /// <exception cref="InputException">A kind of scaling that is not supported, or a field that makes no sense.</exception>
    public static RotaryFrequencies FromConfig(ModelConfig config, int headWidth, int context, double theta = 10_000, string? layerType = null)
    {
        var settings = config.Object("rope_parameters") ?? config.Object("rope_scaling");
        settings = layerType is null ? settings : settings?.Object(layerType) ?? settings;
        var kind = settings?.String("rope_type") ?? settings?.String("type") ?? "default";
        var share = settings?.Number("partial_rotary_factor") ?? config.Number("partial_rotary_factor") ?? 1;
        var plain = new RotaryFrequencies(Share(config, headWidth, share), settings?.Number("rope_theta") ?? config.Number("rope_theta") ?? theta, kind == "su" ? "longrope" : kind);
        if (settings is null || kind == "default")
        {
            return plain;
        }

        var original = settings.FindSize("original_max_position_embeddings") ?? config.FindSize("original_max_position_embeddings");
        var scaled = plain with
        {
            OriginalContext = kind == "dynamic" ? context : original ?? context,
            LowFrequencyFactor = settings.Number("low_freq_factor") ?? 1,
            HighFrequencyFactor = settings.Number("high_freq_factor") ?? 4,
            BetaFast = settings.Number("beta_fast") ?? 32,
            BetaSlow = settings.Number("beta_slow") ?? 1,
            Truncate = settings.Bool("truncate", otherwise: true),
        };
        if (plain.Scaling == "longrope")
        {
            var stretch = original is { } before ? (double)context / before : settings.Number("factor") ?? 1;
            return scaled with
            {
                ShortDivisors = Divide(settings, "short_factor", plain.Dimensions),
                LongDivisors = Divide(settings, "long_factor", plain.Dimensions),
                Amplitude = settings.Number("attention_factor") ?? LongRopeAmplitude(stretch, scaled.OriginalContext),
            };
        }

        scaled = scaled with { Factor = settings.Number("factor") ?? throw settings.Wrong("factor", "a number") };
        return kind switch
        {
            "linear" or "dynamic" or "llama3" => scaled,
            "yarn" => scaled with { Amplitude = settings.Number("attention_factor") ?? YarnAmplitude(settings, scaled.Factor) },
            _ => throw settings.Wrong("rope_type", $"default, linear, dynamic, llama3, yarn or longrope, not {kind}"),
        };
    }

    /// <summary>As the fields of a config.json in both spellings.</summary>
    /// <exception cref="NotSupportedException">Divisors that are no known kind of scaling.</exception>
    public void WriteTo(JsonObject config, int headWidth)
    {
        var known = RotaryDivisors.AsScaling(this) ?? throw new NotSupportedException("the divisors of the rotary frequencies (rope_freqs) are no kind of scaling that config.json knows");
        var scaling = known.ToSettings();
        config["rope_scaling"] = known.Scaling == "default" ? null : scaling.DeepClone();
        config["rope_theta"] = known.Base;
        if (Dimensions != headWidth)
        {
            scaling["partial_rotary_factor"] = (double)Dimensions / headWidth;
            config["partial_rotary_factor"] = (double)Dimensions / headWidth;
        }

        scaling["rope_theta"] = known.Base;
        config["rope_parameters"] = scaling;
    }

    /// <summary>sqrt(1 + ln(stretch) / ln(original)) (Ding et al. 2024).</summary>
    internal static double LongRopeAmplitude(double stretch, int original) => stretch <= 1 || original <= 1 ? 1 : Math.Sqrt(1 + Math.Log(stretch) / Math.Log(original));

    private JsonObject ToSettings()
    {
        var settings = new JsonObject { ["rope_type"] = Scaling };
        if (Scaling is "linear" or "dynamic" or "llama3" or "yarn")
        {
            settings["factor"] = Factor;
        }

        if (Scaling is "llama3" or "yarn" or "longrope")
        {
            settings["original_max_position_embeddings"] = OriginalContext;
        }

        switch (Scaling)
        {
            case "llama3":
                settings["low_freq_factor"] = LowFrequencyFactor;
                settings["high_freq_factor"] = HighFrequencyFactor;
                break;
            case "yarn":
                settings["beta_fast"] = BetaFast;
                settings["beta_slow"] = BetaSlow;
                settings["truncate"] = Truncate;
                settings["attention_factor"] = Amplitude;
                break;
            case "longrope":
                settings["short_factor"] = new JsonArray([.. ShortDivisors!.Select(d => (JsonNode)d)]);
                settings["long_factor"] = new JsonArray([.. LongDivisors!.Select(d => (JsonNode)d)]);
                settings["attention_factor"] = Amplitude;
                break;
        }

        return settings;
    }

    private static int Share(ModelConfig config, int headWidth, double share) => share is > 0 and <= 1
        ? (int)(headWidth * share)
        : throw config.Wrong("partial_rotary_factor", "above 0 and at most 1");

    private static float[] Divide(ModelConfig settings, string name, int dimensions)
    {
        var divisors = settings.NumberList(name);
        return divisors.Length == dimensions / 2 && divisors.All(d => d > 0)
            ? Array.ConvertAll(divisors, d => (float)d)
            : throw settings.Wrong(name, $"a list of {dimensions / 2} numbers above 0");
    }

    private static double YarnAmplitude(ModelConfig settings, double factor) =>
        settings.Number("mscale") is { } mscale && settings.Number("mscale_all_dim") is { } all && mscale != 0 && all != 0
            ? YarnAmplitude(factor, mscale) / YarnAmplitude(factor, all)
            : YarnAmplitude(factor);
}
