using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>SmolLM 3 (Hugging Face 2025): Llama with layers, every fourth one, that do not rotate queries and keys.</summary>
public sealed class SmolLm3 : LanguageModel
{
    private readonly bool[] _rotates;
    private readonly DecoderStack _stack;

    /// <param name="rotates">For each layer whether it rotates queries and keys.</param>
    public SmolLm3(DecoderConfig config, bool[] rotates, WeightSource source)
        : base(config, source)
    {
        _rotates = rotates;
        _stack = DecoderStack.Take(Parts, config, i => Llama.TakeLayer(Parts, config, i));
    }

    public override Weight Head => _stack.Head;

    public static SmolLm3 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_act", "silu");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 32_768, Theta: 2_000_000, Tied: true));
        var given = config.Integers("no_rope_layers"); // 1 where the layer does rotate
        if (given.Length > 0 && given.Length != numbers.Layers)
        {
            throw config.Wrong("no_rope_layers", $"a list of {numbers.Layers} numbers, one for each layer");
        }

        var every = config.FindSize("no_rope_layer_interval") ?? 4;
        bool[] rotates = given.Length > 0 ? Array.ConvertAll(given, g => g != 0) : EveryButOneIn(every, numbers.Layers);
        var window = config.Bool("use_sliding_window", otherwise: false) ? SlidingWindow.From(config, numbers.Layers, width: null, i => !rotates[i]) : null;
        return new(numbers with { Window = window }, rotates, source);
    }

    public static SmolLm3 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var config = DecoderConfig.From(file);
        return new(config, EveryButOneIn(4, config.Layers), open(Llama.Mapping(config)));
    }

    public override Tensor Forward(Tape tape, ForwardInput input)
    {
        var angles = Config.Rotary.Angles(tape, input.Segments.Positions());
        return _stack.Run(tape, _stack.Embed(tape, input), input, i => _rotates[i] ? angles : null);
    }

    public override JsonObject ToConfig()
    {
        var config = Qwen2.WithWindow(Config.ToJson("smollm3", "SmolLM3ForCausalLM"), Config.Window);
        config["no_rope_layers"] = new JsonArray([.. _rotates.Select(r => (JsonNode)(r ? 1 : 0))]);
        return config;
    }

    public override GgufArchitecture ToGguf()
    {
        if (!_rotates.SequenceEqual(EveryButOneIn(4, Layers)) || Config.Window is not null || Config.AttentionBias || Config.FeedForwardBias)
        {
            throw new NotSupportedException("llama.cpp's smollm3 rotates in all layers but every fourth, and has neither biases nor a sliding window");
        }

        return new(Config.ToGguf("smollm3"), Llama.Mapping(Config), Config.Rotary.GgufTensors());
    }

    private static bool[] EveryButOneIn(int every, int layers) => [.. Enumerable.Range(1, layers).Select(n => n % every != 0)];
}
