using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Gemma (Gemma Team 2024): Llama with scaled embeddings, norms that multiply by 1 + w, and GELU in the gate. GGUF's norms
/// have the 1 inside.
/// </summary>
public sealed class Gemma : LanguageModel
{
    private readonly DecoderStack _stack;

    public Gemma(DecoderConfig config, WeightSource source)
        : base(config, source) =>
        _stack = DecoderStack.Take(Parts, config, TakeLayer, normOffset: 1) with { EmbeddingScale = MathF.Sqrt(config.Width) };

    public override Weight Head => _stack.Head;

    public static Gemma Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "gelu", "gelu_pytorch_tanh"); // the first published files say gelu and mean the tanh form
        config.Expect("hidden_activation", "gelu_pytorch_tanh");
        config.Refuse("attention_bias", "mlp_bias", "use_bidirectional_attention");
        return new(DecoderConfig.From(config, new DecoderDefaults(Context: 8192, Tied: true, HeadWidth: 256)), source);
    }

    public static Gemma Open(GgufFile file, Func<GgufMapping, WeightSource> open) => new(DecoderConfig.From(file), open(Mapping));

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig()
    {
        var config = Config.ToJson("gemma", "GemmaForCausalLM");
        config["hidden_act"] = "gelu_pytorch_tanh";
        return config;
    }

    public override GgufArchitecture ToGguf() => Config.Tied
        ? new(Config.ToGguf("gemma"), Mapping, Config.Rotary.GgufTensors())
        : throw new NotSupportedException("llama.cpp's gemma has no output projection of its own");

    private DecoderLayer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        return new(
            new SelfAttention(
                i,
                Parts.TakeRmsNorm($"{at}.input_layernorm", Config.Width, Config.NormEpsilon, offset: 1),
                Parts.TakeQueryKeyValue($"{at}.self_attn", Config, bias: false),
                Parts.TakeLinear($"{at}.self_attn.o_proj", Config.Width, QueryWidth, bias: false),
                Config.Rule(i),
                Config.HeadWidth),
            new FeedForward(
                Parts.TakeRmsNorm($"{at}.post_attention_layernorm", Config.Width, Config.NormEpsilon, offset: 1),
                Parts.TakeGateAndUp($"{at}.mlp", Config, bias: false),
                Parts.TakeLinear($"{at}.mlp.down_proj", Config.Width, Config.FeedForward, bias: false),
                Activation.GeluTanh));
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames()) { NormOffset = 1 };
}
