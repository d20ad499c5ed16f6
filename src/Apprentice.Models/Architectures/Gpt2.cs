using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// GPT-2 (Radford et al. 2019): positions are learned and added to the embeddings; each layer adds attention and a feed-forward
/// network with GELU, both on the layer-normalised stream. Its linear layers (Conv1D) lie as [in, out] in Hugging
/// Face's files.
/// </summary>
public sealed class Gpt2 : LanguageModel
{
    private readonly Activation _activation;
    private readonly Weight _positions;
    private readonly DecoderStack _stack;

    public Gpt2(DecoderConfig config, Activation activation, WeightSource source)
        : base(config, source)
    {
        _activation = activation;
        var embedding = Parts.Take("transformer.wte.weight", config.Vocabulary, config.Width);
        _positions = Parts.Take("transformer.wpe.weight", config.ContextLength, config.Width);
        DecoderLayer[] layers = [.. Enumerable.Range(0, config.Layers).Select(TakeLayer)];
        var norm = Parts.TakeLayerNorm("transformer.ln_f", config.Width, config.NormEpsilon);
        _stack = new(embedding, layers, norm, config.Tied ? embedding : Parts.Take("lm_head.weight", config.Vocabulary, config.Width));
    }

    public override Weight Head => _stack.Head;

    // One projection inside the feed-forward network, not two.
    public override long KeptFloatsPerToken => base.KeptFloatsPerToken - Layers * (long)Config.FeedForward;

    public static Gpt2 Open(ModelConfig config, WeightSource source)
    {
        config.Refuse("quantization_config", "scale_attn_by_inverse_layer_idx", "add_cross_attention");
        if (!config.Bool("scale_attn_weights", otherwise: true))
        {
            throw config.Wrong("scale_attn_weights", "true for this architecture");
        }

        config.Expect("activation_function", "gelu_new", "gelu_pytorch_tanh", "gelu");
        var (width, heads) = (config.Size("n_embd"), config.Size("n_head"));
        var numbers = Numbers(
            config.Size("vocab_size"), width, config.Size("n_layer"), config.FindSize("n_inner") ?? 4 * width, heads, config.FindSize("n_positions") ?? 1024,
            (float)(config.Number("layer_norm_epsilon") ?? 1e-5), config.Bool("tie_word_embeddings", otherwise: true));
        return new(Check(numbers, config.Path), config.String("activation_function") == "gelu" ? Activation.Gelu : Activation.GeluTanh, source);
    }

    public static Gpt2 Open(GgufFile file, Func<GgufMapping, WeightSource> open)
    {
        var metadata = file.Metadata;
        var numbers = Numbers(
            DecoderConfig.VocabularyOf(file), metadata.GetSize("gpt2.embedding_length"), metadata.GetSize("gpt2.block_count"),
            metadata.GetSize("gpt2.feed_forward_length"), metadata.GetSize("gpt2.attention.head_count"), metadata.GetSize("gpt2.context_length"),
            metadata.GetFloat("gpt2.attention.layer_norm_epsilon"), file.Find("output.weight") is null);
        return new(Check(numbers, file.Path), Activation.GeluTanh, open(Mapping));
    }

    public override Tensor Forward(Tape tape, ForwardInput input)
    {
        var positions = input.Segments.Positions();
        if (positions.Max() >= ContextLength)
        {
            throw new InputException("too_long", $"{positions.Max() + 1} tokens; the model has learned {ContextLength} positions", Source.Path);
        }

        var x = Residual.Add(tape, _stack.Embed(tape, input), Embedding.Apply(tape, input.Of(_positions), positions));
        return _stack.Run(tape, x, input, _ => null);
    }

    public override JsonObject ToConfig() => new()
    {
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["model_type"] = "gpt2",
        ["vocab_size"] = Vocabulary,
        ["n_embd"] = Config.Width,
        ["n_inner"] = Config.FeedForward,
        ["n_layer"] = Layers,
        ["n_head"] = Config.Heads,
        ["n_positions"] = ContextLength,
        ["activation_function"] = _activation == Activation.Gelu ? "gelu" : "gelu_new",
        ["layer_norm_epsilon"] = DecoderConfig.Exactly(Config.NormEpsilon),
        ["tie_word_embeddings"] = Config.Tied,
        ["torch_dtype"] = "float32",
    };

    public override GgufArchitecture ToGguf() => _activation == Activation.Gelu
        ? throw new NotSupportedException("llama.cpp's gpt2 has the tanh form of GELU")
        : new(
            [
                ("general.architecture", "gpt2"),
                ("gpt2.vocab_size", (uint)Vocabulary),
                ("gpt2.context_length", (uint)ContextLength),
                ("gpt2.embedding_length", (uint)Config.Width),
                ("gpt2.block_count", (uint)Layers),
                ("gpt2.feed_forward_length", (uint)Config.FeedForward),
                ("gpt2.attention.head_count", (uint)Config.Heads),
                ("gpt2.attention.layer_norm_epsilon", Config.NormEpsilon),
            ],
            Mapping,
            []);

    private DecoderLayer TakeLayer(int i)
    {
        var (at, width) = ($"transformer.h.{i}", Config.Width);
        return new(
            new SelfAttention(
                i,
                Parts.TakeLayerNorm($"{at}.ln_1", width, Config.NormEpsilon),
                ParallelLinear.Fused(Parts.TakeConv1D($"{at}.attn.c_attn", 3L * width, width), width, width, width),
                Parts.TakeConv1D($"{at}.attn.c_proj", width, width),
                Config.Rule(i),
                Config.HeadWidth),
            new FeedForward(
                Parts.TakeLayerNorm($"{at}.ln_2", width, Config.NormEpsilon),
                ParallelLinear.Separate(Parts.TakeConv1D($"{at}.mlp.c_fc", Config.FeedForward, width)),
                Parts.TakeConv1D($"{at}.mlp.c_proj", width, Config.FeedForward),
                _activation));
    }

    private static DecoderConfig Numbers(int vocabulary, int width, int layers, int inner, int heads, int context, float epsilon, bool tied) => new(
        vocabulary, width, layers, inner, heads, heads, width / Math.Max(1, heads), context, epsilon, RotaryFrequencies.None, AttentionBias: true, FeedForwardBias: true, tied);

    private static DecoderConfig Check(DecoderConfig numbers, string path) => numbers.QueryWidth == numbers.Width
        ? numbers.Check(path)
        : throw new InputException("bad_config", $"{numbers.Heads} heads do not divide a width of {numbers.Width}", path);

    private static GgufMapping Mapping { get; } = new(new Dictionary<string, string>
    {
        ["transformer.wte"] = "token_embd",
        ["transformer.wpe"] = "position_embd",
        ["transformer.h.N.ln_1"] = "blk.N.attn_norm",
        ["transformer.h.N.attn.c_attn"] = "blk.N.attn_qkv",
        ["transformer.h.N.attn.c_proj"] = "blk.N.attn_output",
        ["transformer.h.N.ln_2"] = "blk.N.ffn_norm",
        ["transformer.h.N.mlp.c_fc"] = "blk.N.ffn_up",
        ["transformer.h.N.mlp.c_proj"] = "blk.N.ffn_down",
        ["transformer.ln_f"] = "output_norm",
        ["lm_head"] = "output",
    });
}
