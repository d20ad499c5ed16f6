using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Gemma 3 (Gemma Team 2025), its text model: Gemma 2 with RMS norms of each head's queries and keys in place of the caps, and
/// five layers with a sliding window and short waves for each one that sees everything.
/// </summary>
public sealed class Gemma3 : LanguageModel
{
    private const int LayersOf27B = 62;
    private readonly GemmaScores _scores;
    private readonly RotaryFrequencies _localRotary;
    private readonly DecoderStack _stack;

    /// <param name="localRotary">Of the layers with a sliding window.</param>
    public Gemma3(DecoderConfig config, GemmaScores scores, RotaryFrequencies localRotary, WeightSource source)
        : base(config, source)
    {
        _scores = scores;
        _localRotary = localRotary;
        _stack = DecoderStack.Take(Parts, config, i => Gemma2.TakeLayer(Parts, config, scores, i, headNorms: true), normOffset: 1) with { EmbeddingScale = MathF.Sqrt(config.Width) };
    }

    public override Weight Head => _stack.Head;

    public override float? LogitSoftcap => _scores.LogitCap;

    // Queries and keys before their norms, and what both branches give before theirs.
    public override long KeptFloatsPerToken => base.KeptFloatsPerToken + Layers * (2L * Config.Width + QueryWidth + KeyValueWidth);

    public static Gemma3 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_activation", "gelu_pytorch_tanh");
        config.Refuse("attention_bias", "mlp_bias", "use_bidirectional_attention");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 131_072, Theta: 1_000_000, Tied: true, HeadWidth: 256));
        var every = config.FindSize("sliding_window_pattern") ?? config.FindSize("_sliding_window_pattern") ?? 6;
        var local = config.Object("rope_parameters")?.Object("sliding_attention") is not null
            ? RotaryFrequencies.FromConfig(config, numbers.HeadWidth, numbers.ContextLength, layerType: "sliding_attention")
            : new RotaryFrequencies(numbers.HeadWidth, config.Number("rope_local_base_freq") ?? 10_000);
        return new(
            numbers with { Window = SlidingWindow.From(config, numbers.Layers, width: 4096, i => (i + 1) % every != 0) },
            GemmaScores.From(config, null, null), local, source);
    }

    public static Gemma3 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var (config, metadata) = (DecoderConfig.From(file), file.Metadata);
        return new(
            config with { Window = SlidingWindow.From(file, "gemma3", config.Layers, Slides) },
            new GemmaScores(GemmaScores.GgufScalar(config, LayersOf27B), null, metadata.FindFloat("gemma3.final_logit_softcapping") is { } cap and > 0 ? cap : null),
            new RotaryFrequencies(config.Rotary.Dimensions, metadata.FindFloat("gemma3.rope.freq_base_swa") ?? 10_000),
            open(Mapping));
    }

    public override Tensor Forward(Tape tape, ForwardInput input)
    {
        var positions = input.Segments.Positions();
        var (global, local) = (Config.Rotary.Angles(tape, positions), _localRotary.Angles(tape, positions));
        return _stack.Run(tape, _stack.Embed(tape, input), input, i => Config.Window?.At(i) is null ? global : local);
    }

    public override JsonObject ToConfig()
    {
        var config = _scores.WriteTo(Config.ToJson("gemma3_text", "Gemma3ForCausalLM"));
        config["sliding_window"] = Config.Window?.Width;
        config["layer_types"] = SlidingWindow.LayerTypes(Config.Window, Layers);
        config["rope_local_base_freq"] = _localRotary.Base;
        var local = new JsonObject();
        _localRotary.WriteTo(local, Config.HeadWidth);
        config["rope_parameters"] = new JsonObject { ["full_attention"] = config["rope_parameters"]!.DeepClone(), ["sliding_attention"] = local["rope_parameters"]!.DeepClone() };
        return config;
    }

    public override GgufArchitecture ToGguf()
    {
        if (_localRotary.Scaling != "default" || _scores.AttentionCap is not null || _scores.QueryScalar != GemmaScores.GgufScalar(Config, LayersOf27B))
        {
            throw new NotSupportedException(
                $"llama.cpp's gemma3 scales scores by 1/sqrt({GemmaScores.GgufScalar(Config, LayersOf27B)}), has no cap on them, and does not stretch the waves of layers with a sliding window");
        }

        IEnumerable<(string, object)> cap = _scores.LogitCap is { } logit ? [("gemma3.final_logit_softcapping", logit)] : [];
        return new(
            [.. Config.ToGguf("gemma3"), ("gemma3.rope.freq_base_swa", (float)_localRotary.Base), .. cap, .. Config.Window?.ToGguf("gemma3", Slides) ?? []],
            Mapping,
            Config.Rotary.GgufTensors());
    }

    private static bool Slides(int layer) => layer % 6 < 5;

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames(
        ("model.layers.N.self_attn.q_norm", "blk.N.attn_q_norm"),
        ("model.layers.N.self_attn.k_norm", "blk.N.attn_k_norm"),
        ("model.layers.N.post_attention_layernorm", "blk.N.post_attention_norm"),
        ("model.layers.N.pre_feedforward_layernorm", "blk.N.ffn_norm"),
        ("model.layers.N.post_feedforward_layernorm", "blk.N.post_ffw_norm"))) { NormOffset = 1 };
}
