using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Phi 3, 3.5 and 4 (Abdin et al. 2024): Llama with queries, keys and values in one weight, and gate and up in one; rotary
/// embeddings with two lists of divisors (LongRoPE) or of a part of each head in some. llama.cpp itself does not apply the
/// sliding window.
/// </summary>
public sealed class Phi3 : LanguageModel
{
    private readonly DecoderStack _stack;

    public Phi3(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, TakeLayer);

    public override Weight Head => _stack.Head;

    public static Phi3 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        config.Refuse("attention_bias", "mlp_bias");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 4096, NormEpsilon: 1e-5));
        return new(numbers with { Window = SlidingWindow.From(config, numbers.Layers, width: null, _ => true) }, source);
    }

    public static Phi3 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config with { Window = SlidingWindow.From(file, "phi3", config.Layers, _ => true) }, open(Mapping));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig()
    {
        var config = Config.ToJson("phi3", "Phi3ForCausalLM");
        config["sliding_window"] = Config.Window?.Width;
        if (Config.Rotary.Scaling == "longrope")
        {
            config["original_max_position_embeddings"] = Config.Rotary.OriginalContext;
        }

        return config;
    }

    public override GgufArchitecture ToGguf() => new(
        [.. Config.ToGguf("phi3"), .. Config.Window?.ToGguf("phi3", _ => true) ?? [("phi3.attention.sliding_window", 0u)]], Mapping, Config.Rotary.GgufTensors());

    private DecoderLayer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        var (queries, keys, inner) = (QueryWidth, KeyValueWidth, Config.FeedForward);
        return new(
            new SelfAttention(
                i,
                Parts.TakeRmsNorm($"{at}.input_layernorm", Config.Width, Config.NormEpsilon),
                ParallelLinear.Fused(Parts.TakeLinear($"{at}.self_attn.qkv_proj", queries + (2L * keys), Config.Width, bias: false), queries, keys, keys),
                Parts.TakeLinear($"{at}.self_attn.o_proj", Config.Width, queries, bias: false),
                Config.Rule(i),
                Config.HeadWidth),
            new FeedForward(
                Parts.TakeRmsNorm($"{at}.post_attention_layernorm", Config.Width, Config.NormEpsilon),
                ParallelLinear.Fused(Parts.TakeLinear($"{at}.mlp.gate_up_proj", 2L * inner, Config.Width, bias: false), inner, inner),
                Parts.TakeLinear($"{at}.mlp.down_proj", Config.Width, inner, bias: false)));
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames(
        ("model.layers.N.self_attn.qkv_proj", "blk.N.attn_qkv"),
        ("model.layers.N.mlp.gate_up_proj", "blk.N.ffn_up")));
}
