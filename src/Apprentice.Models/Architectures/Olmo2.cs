using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>
/// OLMo 2 (OLMo et al. 2024): nothing is normalised before attention and feed-forward network, but what they add is; and
/// queries and keys are, over all heads together.
/// </summary>
public sealed class Olmo2 : LanguageModel
{
    private readonly DecoderStack _stack;

    public Olmo2(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, TakeLayer);

    public override Weight Head => _stack.Head;

    // Queries and keys before their norms, and what both branches give before theirs.
    public override long KeptFloatsPerToken => base.KeptFloatsPerToken + Layers * (2L * Config.Width + QueryWidth + KeyValueWidth);

    public static Olmo2 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        return new(DecoderConfig.From(config, new DecoderDefaults(NormEpsilon: 1e-5)), source);
    }

    public static Olmo2 Open(GgufFile file, Func<GgufMapping, WeightSource> open) => file.Metadata.FindSize("olmo2.attention.sliding_window") > 0
        ? throw new Data.InputException("unsupported_architecture", "this file of architecture olmo2 has a sliding window (OLMo 3), which is not supported", file.Path)
        : new(DecoderConfig.From(file), open(Mapping));

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig() => Config.ToJson("olmo2", "Olmo2ForCausalLM");

    public override GgufArchitecture ToGguf() => Config.AttentionBias
        ? throw new NotSupportedException("llama.cpp's olmo2 has no biases in the attention")
        : new(Config.ToGguf("olmo2"), Mapping, Config.Rotary.GgufTensors());

    private DecoderLayer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        return new(
            new SelfAttention(
                i,
                Before: null,
                Parts.TakeQueryKeyValue($"{at}.self_attn", Config, Config.AttentionBias),
                Parts.TakeLinear($"{at}.self_attn.o_proj", Config.Width, Config.QueryWidth, Config.AttentionBias),
                Config.Rule(i),
                Config.HeadWidth)
            {
                QueryNorm = Parts.TakeRmsNorm($"{at}.self_attn.q_norm", QueryWidth, Config.NormEpsilon),
                KeyNorm = Parts.TakeRmsNorm($"{at}.self_attn.k_norm", KeyValueWidth, Config.NormEpsilon),
                After = Parts.TakeRmsNorm($"{at}.post_attention_layernorm", Config.Width, Config.NormEpsilon),
            },
            new FeedForward(
                Before: null,
                Parts.TakeGateAndUp($"{at}.mlp", Config, bias: false),
                Parts.TakeLinear($"{at}.mlp.down_proj", Config.Width, Config.FeedForward, bias: false))
            {
                After = Parts.TakeRmsNorm($"{at}.post_feedforward_layernorm", Config.Width, Config.NormEpsilon),
            });
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames(
        ("model.layers.N.self_attn.q_norm", "blk.N.attn_q_norm"),
        ("model.layers.N.self_attn.k_norm", "blk.N.attn_k_norm"),
        ("model.layers.N.post_attention_layernorm", "blk.N.post_attention_norm"),
        ("model.layers.N.post_feedforward_layernorm", "blk.N.post_ffw_norm")));
}
