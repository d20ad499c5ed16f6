using System.Globalization;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>The numbers of a Llama (Touvron et al. 2023; Grattafiori et al. 2024).</summary>
/// <param name="Width">Hidden size.</param>
/// <param name="FeedForward">Width between the two halves of the feed-forward network.</param>
/// <param name="HeadWidth">Dimensions of one attention head.</param>
/// <param name="Tied">Whether the embedding is the output projection, too.</param>
public sealed record LlamaConfig(
    int Vocabulary, int Width, int Layers, int FeedForward, int Heads, int KeyValueHeads, int HeadWidth, int ContextLength,
    float NormEpsilon, RotaryFrequencies Rotary, bool AttentionBias, bool FeedForwardBias, bool Tied)
{
    /// <summary>From the <c>config.json</c> of a Hugging Face folder.</summary>
    public static LlamaConfig From(ModelConfig config)
    {
        var heads = config.Size("num_attention_heads");
        var headWidth = config.FindSize("head_dim") ?? config.Size("hidden_size") / heads;
        var context = config.FindSize("max_position_embeddings") ?? 2048;
        if (config.String("hidden_act") is { } activation and not "silu")
        {
            throw config.Wrong("hidden_act", $"silu for a llama, not {activation}");
        }

        return new LlamaConfig(
            config.Size("vocab_size"),
            config.Size("hidden_size"),
            config.Size("num_hidden_layers"),
            config.Size("intermediate_size"),
            heads,
            config.FindSize("num_key_value_heads") ?? heads,
            headWidth,
            context,
            (float)(config.Number("rms_norm_eps") ?? 1e-6),
            RotaryFrequencies.FromConfig(config, headWidth, context),
            config.Bool("attention_bias", otherwise: false),
            config.Bool("mlp_bias", otherwise: false),
            config.Bool("tie_word_embeddings", otherwise: false)).Check(config.Path);
    }

    /// <summary>From the metadata of a GGUF file of architecture <c>llama</c>.</summary>
    public static LlamaConfig From(GgufFile file)
    {
        var metadata = file.Metadata;
        var width = metadata.GetSize("llama.embedding_length");
        var heads = metadata.GetSize("llama.attention.head_count");
        var headWidth = metadata.FindSize("llama.attention.key_length") ?? width / Math.Max(1, heads);
        var embedding = file.Find("token_embd.weight") ?? throw new InputException("missing_tensor", "the model has no tensor 'token_embd.weight'", file.Path);
        var scaling = metadata.FindString("llama.rope.scaling.type") ?? "none";
        if (scaling is not ("none" or "linear"))
        {
            throw new InputException("unsupported_rope", $"llama.rope.scaling.type '{scaling}' is not supported; none and linear are", file.Path);
        }

        return new LlamaConfig(
            (int)Math.Min(int.MaxValue, embedding.Dimensions.LastOrDefault()),
            width,
            metadata.GetSize("llama.block_count"),
            metadata.GetSize("llama.feed_forward_length"),
            heads,
            metadata.FindSize("llama.attention.head_count_kv") ?? heads,
            headWidth,
            metadata.FindSize("llama.context_length") ?? 2048,
            metadata.GetFloat("llama.attention.layer_norm_rms_epsilon"),
            new RotaryFrequencies(
                metadata.FindSize("llama.rope.dimension_count") ?? headWidth,
                metadata.FindFloat("llama.rope.freq_base") ?? 10_000,
                scaling == "linear" ? "linear" : "default")
            {
                Factor = metadata.FindFloat("llama.rope.scaling.factor") ?? 1,
                Divisors = file.Find("rope_freqs.weight") is null ? null : file.ReadFloats("rope_freqs.weight"),
            },
            file.Find("blk.0.attn_q.bias") is not null,
            file.Find("blk.0.ffn_gate.bias") is not null,
            file.Find("output.weight") is null).Check(file.Path);
    }

    /// <summary>As the <c>config.json</c> of a Hugging Face folder whose weights are stored as F32.</summary>
    /// <exception cref="NotSupportedException">The rotary embedding cannot be said in that format.</exception>
    public JsonObject ToJson()
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = Vocabulary,
            ["hidden_size"] = Width,
            ["intermediate_size"] = FeedForward,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KeyValueHeads,
            ["head_dim"] = HeadWidth,
            ["max_position_embeddings"] = ContextLength,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = double.Parse(NormEpsilon.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            ["attention_bias"] = AttentionBias,
            ["mlp_bias"] = FeedForwardBias,
            ["tie_word_embeddings"] = Tied,
            ["torch_dtype"] = "float32",
        };
        if (Rotary.Dimensions != HeadWidth)
        {
            throw new NotSupportedException($"a llama's config.json knows no rotary embedding of {Rotary.Dimensions} of a head's {HeadWidth} dimensions");
        }

        Rotary.WriteTo(config);
        return config;
    }

    private LlamaConfig Check(string path)
    {
        // Sizes that no tensor could have are said here; their products must not overflow on the way to the tensors.
        const int Largest = 1 << 24, MostLayers = 1 << 12;
        if (Layers is < 1 or > MostLayers || new[] { Vocabulary, Width, FeedForward, Heads, KeyValueHeads, ContextLength }.Any(size => size is < 1 or > Largest))
        {
            throw new InputException("bad_config", $"vocabulary, widths, heads and context must be from 1 to {Largest}, layers to {MostLayers}", path);
        }

        if (HeadWidth < 2 || HeadWidth % 2 != 0 || (long)Heads * HeadWidth > Largest || (long)KeyValueHeads * HeadWidth > Largest)
        {
            throw new InputException("bad_config", $"{Heads} heads of width {HeadWidth}: the width must be even, and all of them at most {Largest} wide", path);
        }

        if (!(NormEpsilon >= 0) || !(Rotary.Base > 0))
        {
            throw new InputException("bad_config", $"a norm's epsilon of {NormEpsilon} or a rotary base of {Rotary.Base} is not possible", path);
        }

        if (Heads % KeyValueHeads != 0 || Rotary.Dimensions > HeadWidth || Rotary.Dimensions % 2 != 0 || (Rotary.Divisors?.Length ?? Rotary.Dimensions / 2) != Rotary.Dimensions / 2)
        {
            throw new InputException("bad_config", $"{Heads} heads over {KeyValueHeads} key-value heads of width {HeadWidth} with {Rotary.Dimensions} rotary dimensions do not fit together", path);
        }

        return this;
    }
}

/// <summary>
/// Llama: tokens are embedded; each layer adds attention and a gated feed-forward network, both on the RMS-normalised
/// stream; a last norm and the output projection follow. Positions enter by rotating queries and keys.
/// </summary>
public sealed class Llama : LanguageModel
{
    private readonly LlamaConfig _config;
    private readonly Weight _embedding;
    private readonly Layer[] _layers;
    private readonly Weight _norm;

    public Llama(LlamaConfig config, WeightSource source)
        : base(source)
    {
        _config = config;
        _embedding = Take("model.embed_tokens.weight", config.Vocabulary, config.Width);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(TakeLayer)];
        _norm = TakeVector("model.norm.weight", config.Width);
        Head = config.Tied ? _embedding : Take("lm_head.weight", config.Vocabulary, config.Width);
    }

    public LlamaConfig Config => _config;

    public override JsonObject ToConfig() => _config.ToJson();

    public override int Layers => _config.Layers;

    public override int Vocabulary => _config.Vocabulary;

    public override int ContextLength => _config.ContextLength;

    public override int QueryWidth => _config.Heads * _config.HeadWidth;

    public override int KeyValueWidth => _config.KeyValueHeads * _config.HeadWidth;

    public override Weight Head { get; }

    // Two residual streams, queries and attended values, keys and values, gate and up; norms and their product are made again.
    public override long KeptFloatsPerToken => Layers * (2L * _config.Width + 2L * QueryWidth + 2L * KeyValueWidth + 2L * _config.FeedForward);

    // Gradients of gate and up and what is made from them again; of the stream, a norm, and around them.
    public override long WorkingFloatsPerToken => 3L * _config.FeedForward + 6L * _config.Width;

    public override Tensor Forward(Tape tape, ForwardInput input)
    {
        var positions = input.Segments.Positions();
        var angles = new RotaryAngles(tape, positions, _config.Rotary.Inverse(positions.Max()), _config.Rotary.Amplitude);
        var rule = new AttentionRule(_config.Heads, _config.KeyValueHeads);
        var x = Embedding.Apply(tape, _embedding, input.Ids);
        input.Observe?.Invoke(0, x);
        for (var i = 0; i < _layers.Length; i++)
        {
            var (number, layer) = (i, _layers[i]);
            x = tape.Block(x, (t, h) => FeedForward(t, Attend(t, h, layer, number, input, angles, rule), layer, input));
            if (i + 1 < _layers.Length)
            {
                input.Observe?.Invoke(i + 1, x);
            }
        }

        x = RmsNorm.Apply(tape, x, _norm, _config.NormEpsilon);
        input.Observe?.Invoke(_layers.Length, x);
        return x;
    }

    private Tensor Attend(Tape tape, Tensor x, Layer layer, int number, ForwardInput input, RotaryAngles angles, AttentionRule rule)
    {
        var normed = RmsNorm.Apply(tape, x, layer.InputNorm, _config.NormEpsilon);
        var q = RotaryEmbedding.Apply(tape, layer.Query.Apply(tape, normed, input), angles, _config.HeadWidth);
        var k = RotaryEmbedding.Apply(tape, layer.Key.Apply(tape, normed, input), angles, _config.HeadWidth);
        var v = layer.Value.Apply(tape, normed, input);
        tape.Forget(normed);
        var attended = Attention.Apply(tape, q, k, v, input.Segments, rule, input.Cache?[number]);
        input.Cache?.Store(number, k, v, input.CacheRows!);
        return Residual.Add(tape, x, layer.Output.Apply(tape, attended, input));
    }

    private Tensor FeedForward(Tape tape, Tensor x, Layer layer, ForwardInput input)
    {
        var normed = RmsNorm.Apply(tape, x, layer.FeedForwardNorm, _config.NormEpsilon);
        var gate = layer.Gate.Apply(tape, normed, input);
        var up = layer.Up.Apply(tape, normed, input);
        tape.Forget(normed);
        var gated = GatedActivation.Apply(tape, gate, up, Activation.Silu);
        var down = layer.Down.Apply(tape, gated, input);
        tape.Forget(gated);
        return Residual.Add(tape, x, down);
    }

    private Layer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        var (queries, keys) = (QueryWidth, KeyValueWidth);
        return new Layer(
            TakeVector($"{at}.input_layernorm.weight", _config.Width),
            TakeLinear($"{at}.self_attn.q_proj", queries, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.k_proj", keys, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.v_proj", keys, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.o_proj", _config.Width, queries, _config.AttentionBias),
            TakeVector($"{at}.post_attention_layernorm.weight", _config.Width),
            TakeLinear($"{at}.mlp.gate_proj", _config.FeedForward, _config.Width, _config.FeedForwardBias),
            TakeLinear($"{at}.mlp.up_proj", _config.FeedForward, _config.Width, _config.FeedForwardBias),
            TakeLinear($"{at}.mlp.down_proj", _config.Width, _config.FeedForward, _config.FeedForwardBias));
    }

    private sealed record Layer(
        Weight InputNorm, LinearLayer Query, LinearLayer Key, LinearLayer Value, LinearLayer Output,
        Weight FeedForwardNorm, LinearLayer Gate, LinearLayer Up, LinearLayer Down);

    /// <summary>The weights of a GGUF file under their Hugging Face names.</summary>
    public static GgufSource FromGguf(GgufFile file, LlamaConfig config) => new(
        file,
        name => GgufNames.Translate(name, Names),
        name => name.Contains(".q_proj.", StringComparison.Ordinal) ? config.Heads
            : name.Contains(".k_proj.", StringComparison.Ordinal) ? config.KeyValueHeads
            : null);

    /// <summary>Hugging Face names (N: the layer) to those of llama.cpp.</summary>
    private static readonly Dictionary<string, string> Names = new()
    {
        ["model.embed_tokens"] = "token_embd",
        ["model.layers.N.input_layernorm"] = "blk.N.attn_norm",
        ["model.layers.N.self_attn.q_proj"] = "blk.N.attn_q",
        ["model.layers.N.self_attn.k_proj"] = "blk.N.attn_k",
        ["model.layers.N.self_attn.v_proj"] = "blk.N.attn_v",
        ["model.layers.N.self_attn.o_proj"] = "blk.N.attn_output",
        ["model.layers.N.post_attention_layernorm"] = "blk.N.ffn_norm",
        ["model.layers.N.mlp.gate_proj"] = "blk.N.ffn_gate",
        ["model.layers.N.mlp.up_proj"] = "blk.N.ffn_up",
        ["model.layers.N.mlp.down_proj"] = "blk.N.ffn_down",
        ["model.norm"] = "output_norm",
        ["lm_head"] = "output",
    };
}
