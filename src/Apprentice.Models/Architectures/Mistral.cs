using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Mistral (Jiang et al. 2023): Llama, except that a token may see only the last ones before it. GGUF has both as llama;
/// llama.cpp itself does not apply the window there.
/// </summary>
public sealed class Mistral : LanguageModel
{
    private readonly DecoderStack _stack;

    public Mistral(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, i => Llama.TakeLayer(Parts, config, i));

    public override Weight Head => _stack.Head;

    public static Mistral Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        config.Refuse("attention_bias", "mlp_bias");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 131_072));
        return new(numbers with { Window = SlidingWindow.From(config, numbers.Layers, width: 4096, _ => true) }, source);
    }

    /// <summary>Whether a file of architecture llama is one.</summary>
    public static bool IsIn(GgufFile file) => file.Metadata.FindSize("llama.attention.sliding_window") > 0;

    public static Mistral Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config with { Window = SlidingWindow.From(file, "llama", config.Layers, _ => true) }, open(Llama.Mapping(config)));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig()
    {
        var config = Config.ToJson("mistral", "MistralForCausalLM");
        config["sliding_window"] = Config.Window?.Width;
        return config;
    }

    public override GgufArchitecture ToGguf() => new(
        [.. Config.ToGguf("llama"), .. Config.Window?.ToGguf("llama", _ => true) ?? []], Llama.Mapping(Config), Config.Rotary.GgufTensors());
}
