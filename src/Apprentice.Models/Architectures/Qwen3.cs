using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>Qwen 3 (Yang et al. 2025), the dense ones: Llama with an RMS norm of each head's queries and keys before the rotation.</summary>
public sealed class Qwen3 : LanguageModel
{
    private readonly DecoderStack _stack;

    public Qwen3(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, TakeLayer);

    public override Weight Head => _stack.Head;

    // Queries and keys before their norms, too.
    public override long KeptFloatsPerToken => base.KeptFloatsPerToken + Layers * ((long)QueryWidth + KeyValueWidth);

    public static Qwen3 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 32_768, HeadWidth: 128));
        return new(numbers with { Window = Qwen2.Sliding(config, numbers) }, source);
    }

    public static Qwen3 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config with { Window = SlidingWindow.From(file, "qwen3", config.Layers, _ => true) }, open(Mapping));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig() => Qwen2.WithWindow(Config.ToJson("qwen3", "Qwen3ForCausalLM"), Config.Window);

    public override GgufArchitecture ToGguf() => Config.AttentionBias
        ? throw new NotSupportedException("llama.cpp's qwen3 has no biases in the attention")
        : new([.. Config.ToGguf("qwen3"), .. Config.Window?.ToGguf("qwen3", _ => true) ?? []], Mapping, Config.Rotary.GgufTensors());

    private DecoderLayer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        return new(
            new SelfAttention(
                i,
                Parts.TakeRmsNorm($"{at}.input_layernorm", Config.Width, Config.NormEpsilon),
                Parts.TakeQueryKeyValue($"{at}.self_attn", Config, Config.AttentionBias),
                Parts.TakeLinear($"{at}.self_attn.o_proj", Config.Width, Config.QueryWidth, Config.AttentionBias),
                Config.Rule(i),
                Config.HeadWidth)
            {
                QueryNorm = Parts.TakeRmsNorm($"{at}.self_attn.q_norm", Config.HeadWidth, Config.NormEpsilon),
                KeyNorm = Parts.TakeRmsNorm($"{at}.self_attn.k_norm", Config.HeadWidth, Config.NormEpsilon),
            },
            new FeedForward(
                Parts.TakeRmsNorm($"{at}.post_attention_layernorm", Config.Width, Config.NormEpsilon),
                Parts.TakeGateAndUp($"{at}.mlp", Config, bias: false),
                Parts.TakeLinear($"{at}.mlp.down_proj", Config.Width, Config.FeedForward, bias: false)));
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames(
        ("model.layers.N.self_attn.q_norm", "blk.N.attn_q_norm"),
        ("model.layers.N.self_attn.k_norm", "blk.N.attn_k_norm")));
}
