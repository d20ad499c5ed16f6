using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Layers;

/// <summary>How GGUF says it: metadata, and divisors as tensors.</summary>
public sealed partial record RotaryFrequencies
{
    private const string Freqs = "rope_freqs.weight", Short = "rope_factors_short.weight", Long = "rope_factors_long.weight";

    /// <summary>From the metadata and tensors of a GGUF file.</summary>
    /// <param name="context">Tokens that the model was made for.</param>
    /// <exception cref="InputException">A kind of scaling that is not supported.</exception>
    public static RotaryFrequencies FromGguf(GgufFile file, string architecture, int headWidth, int context)
    {
        var (metadata, key) = (file.Metadata, $"{architecture}.rope");
        var kind = metadata.FindString($"{key}.scaling.type") ?? "none";
        var plain = new RotaryFrequencies(metadata.FindSize($"{key}.dimension_count") ?? headWidth, metadata.FindFloat($"{key}.freq_base") ?? 10_000)
        {
            Divisors = file.Find(Freqs) is null ? null : file.ReadFloats(Freqs),
        };
        var original = metadata.FindSize($"{key}.scaling.original_context_length") ?? context;
        var factor = metadata.FindFloat($"{key}.scaling.factor") ?? 1;
        if (kind == "longrope" || (kind == "none" && file.Find(Long) is not null))
        {
            return plain with
            {
                Scaling = "longrope",
                OriginalContext = original,
                ShortDivisors = file.ReadFloats(Short),
                LongDivisors = file.ReadFloats(Long),
                Amplitude = metadata.FindFloat($"{key}.scaling.attn_factor") ?? LongRopeAmplitude((double)context / Math.Max(1, original), original),
            };
        }

        return kind switch
        {
            "none" => plain,
            "linear" => plain with { Scaling = kind, Factor = factor },
            "yarn" => plain with
            {
                Scaling = kind,
                Factor = factor,
                OriginalContext = original,
                BetaFast = metadata.FindFloat($"{key}.scaling.yarn_beta_fast") ?? 32,
                BetaSlow = metadata.FindFloat($"{key}.scaling.yarn_beta_slow") ?? 1,
                Amplitude = YarnAmplitude(factor) * (metadata.FindFloat($"{key}.scaling.yarn_attn_factor") ?? 1),
            },
            _ => throw new InputException("unsupported_rope", $"{key}.scaling.type '{kind}' is not supported; none, linear, yarn and longrope are", file.Path),
        };
    }

    /// <summary>As GGUF's metadata.</summary>
    /// <exception cref="NotSupportedException">The format cannot say it.</exception>
    public IEnumerable<(string Key, object Value)> ToGguf(string architecture)
    {
        var key = $"{architecture}.rope";
        yield return ($"{key}.dimension_count", (uint)Dimensions);
        yield return ($"{key}.freq_base", (float)Base);
        switch (Scaling)
        {
            case "default" or "llama3":
                break;
            case "linear":
                yield return ($"{key}.scaling.type", Scaling);
                yield return ($"{key}.scaling.factor", (float)Factor);
                break;
            case "yarn" when Truncate:
                yield return ($"{key}.scaling.type", Scaling);
                yield return ($"{key}.scaling.factor", (float)Factor);
                yield return ($"{key}.scaling.original_context_length", (uint)OriginalContext);
                yield return ($"{key}.scaling.yarn_beta_fast", (float)BetaFast);
                yield return ($"{key}.scaling.yarn_beta_slow", (float)BetaSlow);
                yield return ($"{key}.scaling.yarn_attn_factor", (float)(Amplitude / YarnAmplitude(Factor)));
                break;
            case "longrope":
                yield return ($"{key}.scaling.original_context_length", (uint)OriginalContext);
                yield return ($"{key}.scaling.attn_factor", (float)Amplitude);
                break;
            default:
                throw new NotSupportedException($"its rotary frequencies are scaled as {Scaling}{(Scaling == "yarn" ? " without rounding" : "")}, which GGUF does not know");
        }
    }

    /// <summary>What GGUF has as tensors: Llama 3's scaling as divisors, and LongRoPE's two lists.</summary>
    public IEnumerable<(string Name, float[] Values)> GgufTensors()
    {
        if (Scaling == "longrope")
        {
            return [(Long, LongDivisors!), (Short, ShortDivisors!)];
        }

        if (Scaling == "llama3")
        {
            var plain = (this with { Scaling = "default" }).Inverse(0);
            return [(Freqs, [.. plain.Zip(Inverse(0), (p, scaled) => (float)(p / scaled))])];
        }

        return Divisors is null ? [] : [(Freqs, Divisors)];
    }

    private static double YarnAmplitude(double factor, double scale = 1) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;
}
