using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>Granite's own numbers.</summary>
/// <param name="Embedding">Multiplies the embeddings.</param>
/// <param name="Attention">Multiplies the scores, in place of 1/sqrt(head width).</param>
/// <param name="Residual">Multiplies what each layer adds.</param>
/// <param name="Logits">Divides the logits.</param>
public sealed record GraniteMultipliers(float Embedding, float Attention, float Residual, float Logits);

/// <summary>Granite 3 (IBM 2024), the dense ones: Llama with four multipliers.</summary>
public sealed class Granite : LanguageModel
{
    private readonly GraniteMultipliers _multipliers;
    private readonly DecoderStack _stack;

    public Granite(DecoderConfig config, GraniteMultipliers multipliers, WeightSource source)
        : base(config, source)
    {
        _multipliers = multipliers;
        _stack = DecoderStack.Take(Parts, config, TakeLayer) with { EmbeddingScale = multipliers.Embedding, ResidualScale = multipliers.Residual };
    }

    public override Weight Head => _stack.Head;

    public static Granite Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        float Multiplier(string name) => config.Number(name) switch
        {
            null => 1,
            > 0 and var number => (float)number,
            _ => throw config.Wrong(name, "above 0"),
        };
        return new(
            DecoderConfig.From(config),
            new(Multiplier("embedding_multiplier"), Multiplier("attention_multiplier"), Multiplier("residual_multiplier"), Multiplier("logits_scaling")),
            source);
    }

    public static Granite Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var (config, metadata) = (DecoderConfig.From(file), file.Metadata);
        float Multiplier(string name, float otherwise) => metadata.FindFloat(name) is { } given and > 0 ? given : otherwise;
        return new(
            config,
            new(
                Multiplier("granite.embedding_scale", 1),
                Multiplier("granite.attention.scale", 1 / MathF.Sqrt(config.HeadWidth)),
                Multiplier("granite.residual_scale", 1),
                Multiplier("granite.logit_scale", 1)),
            open(Llama.Mapping(config)));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) =>
        Scale.Apply(tape, _stack.Run(tape, input, Config.Rotary), 1 / _multipliers.Logits); // the projection is linear

    public override JsonObject ToConfig()
    {
        var config = Config.ToJson("granite", "GraniteForCausalLM");
        config["embedding_multiplier"] = DecoderConfig.Exactly(_multipliers.Embedding);
        config["attention_multiplier"] = DecoderConfig.Exactly(_multipliers.Attention);
        config["residual_multiplier"] = DecoderConfig.Exactly(_multipliers.Residual);
        config["logits_scaling"] = DecoderConfig.Exactly(_multipliers.Logits);
        return config;
    }

    public override GgufArchitecture ToGguf() => new(
        [
            .. Config.ToGguf("granite"),
            ("granite.embedding_scale", _multipliers.Embedding),
            ("granite.attention.scale", _multipliers.Attention),
            ("granite.residual_scale", _multipliers.Residual),
            ("granite.logit_scale", _multipliers.Logits),
        ],
        Llama.Mapping(Config),
        Config.Rotary.GgufTensors());

    private DecoderLayer TakeLayer(int i)
    {
        var layer = Llama.TakeLayer(Parts, Config, i);
        return layer with { Attention = layer.Attention with { Rule = Config.Rule(i) with { Scale = _multipliers.Attention } } };
    }
}
