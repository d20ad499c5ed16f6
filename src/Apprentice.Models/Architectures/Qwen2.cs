using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Qwen 2 and 2.5 (Yang et al. 2024): Llama with biases on queries, keys and values, and a sliding window in the upper layers
/// of some. llama.cpp itself does not apply the window.
/// </summary>
public sealed class Qwen2 : LanguageModel
{
    private readonly DecoderStack _stack;

    public Qwen2(DecoderConfig config, WeightSource source)
        : base(config, source) => _stack = DecoderStack.Take(Parts, config, TakeLayer);

    public override Weight Head => _stack.Head;

    public static Qwen2 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 32_768));
        return new(numbers with { Window = Sliding(config, numbers) }, source);
    }

    public static Qwen2 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config with { Window = SlidingWindow.From(file, "qwen2", config.Layers, _ => true) }, open(Mapping));
    }

    /// <summary>Only where <c>use_sliding_window</c> says so, and only above <c>max_window_layers</c>.</summary>
    internal static SlidingWindow? Sliding(ModelConfig config, DecoderConfig numbers)
    {
        var full = config.Integers("max_window_layers") is [var below] ? below : 28;
        return config.Bool("use_sliding_window", otherwise: false) ? SlidingWindow.From(config, numbers.Layers, width: 4096, i => i >= full) : null;
    }

    /// <summary>Says it in config.json, too.</summary>
    internal static JsonObject WithWindow(JsonObject config, SlidingWindow? window)
    {
        config["use_sliding_window"] = window is not null;
        if (window is not null)
        {
            config["sliding_window"] = window.Width;
            config["max_window_layers"] = window.Layers.TakeWhile(slides => !slides).Count();
            config["layer_types"] = SlidingWindow.LayerTypes(window, window.Layers.Count);
        }

        return config;
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig() => WithWindow(Config.ToJson("qwen2", "Qwen2ForCausalLM"), Config.Window);

    public override GgufArchitecture ToGguf() => new(
        [.. Config.ToGguf("qwen2"), .. Config.Window?.ToGguf("qwen2", _ => true) ?? []], Mapping, Config.Rotary.GgufTensors());

    private DecoderLayer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        return new(
            new SelfAttention(
                i,
                Parts.TakeRmsNorm($"{at}.input_layernorm", Config.Width, Config.NormEpsilon),
                Parts.TakeQueryKeyValue($"{at}.self_attn", Config, bias: true),
                Parts.TakeLinear($"{at}.self_attn.o_proj", Config.Width, Config.QueryWidth, bias: false),
                Config.Rule(i),
                Config.HeadWidth),
            new FeedForward(
                Parts.TakeRmsNorm($"{at}.post_attention_layernorm", Config.Width, Config.NormEpsilon),
                Parts.TakeGateAndUp($"{at}.mlp", Config, bias: false),
                Parts.TakeLinear($"{at}.mlp.down_proj", Config.Width, Config.FeedForward, bias: false)));
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames());
}
