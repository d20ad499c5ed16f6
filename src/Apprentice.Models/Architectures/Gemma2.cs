using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Gemma 2 (Gemma Team 2024): Gemma with norms of what is added, too, soft caps on scores and logits, and a sliding window in
/// every second layer.
/// </summary>
public sealed class Gemma2 : LanguageModel
{
    private const int LayersOf27B = 46;
    private readonly GemmaScores _scores;
    private readonly DecoderStack _stack;

    public Gemma2(DecoderConfig config, GemmaScores scores, WeightSource source)
        : base(config, source)
    {
        _scores = scores;
        _stack = DecoderStack.Take(Parts, config, i => TakeLayer(Parts, config, scores, i, headNorms: false), normOffset: 1) with { EmbeddingScale = MathF.Sqrt(config.Width) };
    }

    public override Weight Head => _stack.Head;

    public override float? LogitSoftcap => _scores.LogitCap;

    // What both branches give before their norms.
    public override long KeptFloatsPerToken => base.KeptFloatsPerToken + Layers * 2L * Config.Width;

    public static Gemma2 Open(ModelConfig config, WeightSource source)
    {
        config.Expect("hidden_activation", "gelu_pytorch_tanh");
        config.Refuse("attention_bias", "mlp_bias", "use_bidirectional_attention");
        var numbers = DecoderConfig.From(config, new DecoderDefaults(Context: 8192, Tied: true, HeadWidth: 256));
        return new(numbers with { Window = SlidingWindow.From(config, numbers.Layers, width: 4096, Slides) }, GemmaScores.From(config, 50, 30), source);
    }

    public static Gemma2 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var (config, metadata) = (DecoderConfig.From(file), file.Metadata);
        var scores = new GemmaScores(
            GemmaScores.GgufScalar(config, LayersOf27B),
            metadata.FindFloat("gemma2.attn_logit_softcapping") ?? 50,
            metadata.FindFloat("gemma2.final_logit_softcapping") ?? 30);
        return new(config with { Window = SlidingWindow.From(file, "gemma2", config.Layers, Slides) }, scores, open(Mapping));
    }

    public override Tensor Forward(Tape tape, ForwardInput input) => _stack.Run(tape, input, Config.Rotary);

    public override JsonObject ToConfig()
    {
        var config = _scores.WriteTo(Config.ToJson("gemma2", "Gemma2ForCausalLM"));
        config["sliding_window"] = Config.Window?.Width;
        config["layer_types"] = SlidingWindow.LayerTypes(Config.Window, Layers);
        return config;
    }

    public override GgufArchitecture ToGguf()
    {
        if (!Config.Tied || Config.Window is not { } window || _scores.QueryScalar != GemmaScores.GgufScalar(Config, LayersOf27B)
            || _scores is not { AttentionCap: { } attention, LogitCap: { } logit })
        {
            throw new NotSupportedException(
                $"llama.cpp's gemma2 scales scores by 1/sqrt({GemmaScores.GgufScalar(Config, LayersOf27B)}), has both soft caps, a sliding window, and no output projection of its own");
        }

        return new(
            [.. Config.ToGguf("gemma2"), ("gemma2.attn_logit_softcapping", attention), ("gemma2.final_logit_softcapping", logit), .. window.ToGguf("gemma2", Slides)],
            Mapping,
            Config.Rotary.GgufTensors());
    }

    private static bool Slides(int layer) => layer % 2 == 0;

    /// <summary>A layer, which Gemma 3 has, too.</summary>
    /// <param name="headNorms">Whether each head's queries and keys are normalised.</param>
    internal static DecoderLayer TakeLayer(ModelWeights weights, DecoderConfig config, GemmaScores scores, int i, bool headNorms)
    {
        var at = $"model.layers.{i}";
        Norm Take(string name, int width) => weights.TakeRmsNorm($"{at}.{name}", width, config.NormEpsilon, offset: 1);
        return new(
            new SelfAttention(
                i,
                Take("input_layernorm", config.Width),
                weights.TakeQueryKeyValue($"{at}.self_attn", config, bias: false),
                weights.TakeLinear($"{at}.self_attn.o_proj", config.Width, config.QueryWidth, bias: false),
                scores.Apply(config.Rule(i)),
                config.HeadWidth)
            {
                QueryNorm = headNorms ? Take("self_attn.q_norm", config.HeadWidth) : null,
                KeyNorm = headNorms ? Take("self_attn.k_norm", config.HeadWidth) : null,
                After = Take("post_attention_layernorm", config.Width),
            },
            new FeedForward(
                Take("pre_feedforward_layernorm", config.Width),
                weights.TakeGateAndUp($"{at}.mlp", config, bias: false),
                weights.TakeLinear($"{at}.mlp.down_proj", config.Width, config.FeedForward, bias: false),
                Activation.GeluTanh)
            {
                After = Take("post_feedforward_layernorm", config.Width),
            });
    }

    private static GgufMapping Mapping { get; } = new(GgufMapping.LlamaNames(
        ("model.layers.N.post_attention_layernorm", "blk.N.post_attention_norm"),
        ("model.layers.N.pre_feedforward_layernorm", "blk.N.ffn_norm"),
        ("model.layers.N.post_feedforward_layernorm", "blk.N.post_ffw_norm"))) { NormOffset = 1 };
}
