using System.Globalization;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;

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

    /// <summary>As the metadata of a GGUF file of architecture <c>llama</c>.</summary>
    /// <exception cref="NotSupportedException">The rotary embedding cannot be said in that format.</exception>
    public IReadOnlyList<(string Key, object Value)> ToGguf()
    {
        if (Rotary.Scaling is not ("default" or "linear"))
        {
            throw new NotSupportedException($"its rotary frequencies are scaled as {Rotary.Scaling}; default and linear are written");
        }

        var metadata = new List<(string, object)>
        {
            ("general.architecture", "llama"),
            ("llama.vocab_size", (uint)Vocabulary),
            ("llama.context_length", (uint)ContextLength),
            ("llama.embedding_length", (uint)Width),
            ("llama.block_count", (uint)Layers),
            ("llama.feed_forward_length", (uint)FeedForward),
            ("llama.attention.head_count", (uint)Heads),
            ("llama.attention.head_count_kv", (uint)KeyValueHeads),
            ("llama.attention.key_length", (uint)HeadWidth),
            ("llama.attention.value_length", (uint)HeadWidth),
            ("llama.attention.layer_norm_rms_epsilon", NormEpsilon),
            ("llama.rope.dimension_count", (uint)Rotary.Dimensions),
            ("llama.rope.freq_base", (float)Rotary.Base),
        };
        if (Rotary.Scaling == "linear")
        {
            metadata.Add(("llama.rope.scaling.type", "linear"));
            metadata.Add(("llama.rope.scaling.factor", (float)Rotary.Factor));
        }

        return metadata;
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
