using System.Text.Json.Nodes;
using Apprentice.Models.Weights;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>What Gemma 2 and 3 do to scores and logits.</summary>
/// <param name="QueryScalar">Its inverse square root multiplies the scores.</param>
/// <param name="AttentionCap">Scores become cap * tanh(score / cap); null: not.</param>
/// <param name="LogitCap">The same for the logits.</param>
public sealed record GemmaScores(float QueryScalar, float? AttentionCap, float? LogitCap)
{
    public static GemmaScores From(ModelConfig config, float? attentionCap, float? logitCap) => new(
        config.Number("query_pre_attn_scalar") switch
        {
            null => 256,
            > 0 and var given => (float)given,
            _ => throw config.Wrong("query_pre_attn_scalar", "above 0"),
        },
        Cap(config, "attn_logit_softcapping", attentionCap),
        Cap(config, "final_logit_softcapping", logitCap));

    /// <summary>llama.cpp knows the scalar by the number of layers only: those of 27 billion weights divide the width by the heads.</summary>
    /// <param name="largest">Layers of the model of 27 billion weights.</param>
    public static float GgufScalar(DecoderConfig config, int largest) => config.Layers == largest ? config.Width / config.Heads : config.HeadWidth;

    public AttentionRule Apply(AttentionRule rule) => rule with { Scale = 1 / MathF.Sqrt(QueryScalar), Softcap = AttentionCap };

    public JsonObject WriteTo(JsonObject config)
    {
        config["hidden_activation"] = "gelu_pytorch_tanh";
        config["query_pre_attn_scalar"] = DecoderConfig.Exactly(QueryScalar);
        config["attn_logit_softcapping"] = AttentionCap is { } attention ? DecoderConfig.Exactly(attention) : null;
        config["final_logit_softcapping"] = LogitCap is { } logit ? DecoderConfig.Exactly(logit) : null;
        config.Remove("hidden_act");
        return config;
    }

    private static float? Cap(ModelConfig config, string name, float? otherwise) => !config.Has(name) ? otherwise : config.Number(name) switch
    {
        null => null,
        > 0 and var given => (float)given,
        _ => throw config.Wrong(name, "above 0, or null"),
    };
}
