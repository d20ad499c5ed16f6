using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Llama: tokens are embedded; each layer adds attention and a gated feed-forward network, both on the RMS-normalised
/// stream; a last norm and the output projection follow. Positions enter by rotating queries and keys.
/// </summary>
public sealed class Llama : LanguageModel
{
    private readonly DecoderStack _stack;

    public Llama(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, i => TakeLayer(Parts, config, i));

    public override Weight Head => _stack.Head;

    public static Llama Open(ModelConfig config, WeightSource source) => new(ReadConfig(config), source);

    internal static DecoderConfig ReadConfig(ModelConfig config)
    {
        config.Expect("hidden_act", "silu");
        return DecoderConfig.From(config);
    }

    public static Llama Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config, open(Mapping(config)));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig() => Config.ToJson("llama", "LlamaForCausalLM");

    public override GgufArchitecture ToGguf() => new(Config.ToGguf("llama"), Mapping(Config), Config.Rotary.GgufTensors());

    /// <summary>A layer, which Mistral, SmolLM3 and Granite have, too.</summary>
    internal static DecoderLayer TakeLayer(ModelWeights weights, DecoderConfig config, int i)
    {
        var at = $"model.layers.{i}";
        return new(
            new SelfAttention(
                i,
                weights.TakeRmsNorm($"{at}.input_layernorm", config.Width, config.NormEpsilon),
                weights.TakeQueryKeyValue($"{at}.self_attn", config, config.AttentionBias),
                weights.TakeLinear($"{at}.self_attn.o_proj", config.Width, config.QueryWidth, config.AttentionBias),
                config.Rule(i),
                config.HeadWidth),
            new FeedForward(
                weights.TakeRmsNorm($"{at}.post_attention_layernorm", config.Width, config.NormEpsilon),
                weights.TakeGateAndUp($"{at}.mlp", config, config.FeedForwardBias),
                weights.TakeLinear($"{at}.mlp.down_proj", config.Width, config.FeedForward, config.FeedForwardBias)));
    }

    /// <summary>llama.cpp rotates neighbours, so the halves of each head of q and k lie interleaved.</summary>
    internal static GgufMapping Mapping(DecoderConfig config) =>
        new(GgufMapping.LlamaNames()) { InterleavedHeads = GgufMapping.Interleaved(config.Heads, config.KeyValueHeads) };
}
