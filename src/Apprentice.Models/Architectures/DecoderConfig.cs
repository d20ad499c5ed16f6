using System.Globalization;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>What counts where a config.json does not say it.</summary>
/// <param name="HeadWidth">Null: the width over the heads.</param>
public sealed record DecoderDefaults(int Context = 2048, double NormEpsilon = 1e-6, double Theta = 10_000, bool Tied = false, int? HeadWidth = null);

/// <summary>The numbers that Llama (Touvron et al. 2023; Grattafiori et al. 2024) and its relatives have in common.</summary>
/// <param name="Width">Hidden size.</param>
/// <param name="FeedForward">Width between the two halves of the feed-forward network.</param>
/// <param name="HeadWidth">Dimensions of one attention head.</param>
/// <param name="Tied">Whether the embedding is the output projection, too.</param>
public sealed record DecoderConfig(
    int Vocabulary, int Width, int Layers, int FeedForward, int Heads, int KeyValueHeads, int HeadWidth, int ContextLength,
    float NormEpsilon, RotaryFrequencies Rotary, bool AttentionBias, bool FeedForwardBias, bool Tied)
{
    /// <summary>Where a token does not see everything before it, or null.</summary>
    public SlidingWindow? Window { get; init; }

    /// <summary>Columns of the queries of all heads together.</summary>
    public int QueryWidth => Heads * HeadWidth;

    /// <summary>Columns of the keys, or the values, of all heads together.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadWidth;

    /// <summary>What a token of a layer may see.</summary>
    public AttentionRule Rule(int layer) => new(Heads, KeyValueHeads, Window: Window?.At(layer));

    /// <summary>From the <c>config.json</c> of a Hugging Face folder.</summary>
    public static DecoderConfig From(ModelConfig config, DecoderDefaults? defaults = null)
    {
        defaults ??= new DecoderDefaults();
        config.Refuse("quantization_config");
        if (config.Strings("layer_types").FirstOrDefault(t => t is not ("full_attention" or "sliding_attention")) is { } other)
        {
            throw config.Wrong("layer_types", $"full_attention or sliding_attention for each layer, not {other}");
        }

        var heads = config.Size("num_attention_heads");
        var headWidth = config.FindSize("head_dim") ?? defaults.HeadWidth ?? config.Size("hidden_size") / heads;
        var context = config.FindSize("max_position_embeddings") ?? defaults.Context;
        return new DecoderConfig(
            config.Size("vocab_size"),
            config.Size("hidden_size"),
            config.Size("num_hidden_layers"),
            config.Size("intermediate_size"),
            heads,
            config.FindSize("num_key_value_heads") ?? heads,
            headWidth,
            context,
            (float)(config.Number("rms_norm_eps") ?? defaults.NormEpsilon),
            RotaryFrequencies.FromConfig(config, headWidth, context, defaults.Theta, "full_attention"),
            config.Bool("attention_bias", otherwise: false),
            config.Bool("mlp_bias", otherwise: false),
            config.Bool("tie_word_embeddings", defaults.Tied)).Check(config.Path);
    }

    /// <summary>From the metadata of a GGUF file, under the name of its own architecture.</summary>
    public static DecoderConfig From(GgufFile file)
    {
        var metadata = file.Metadata;
        var name = metadata.GetString("general.architecture");
        var width = metadata.GetSize($"{name}.embedding_length");
        var heads = metadata.GetSize($"{name}.attention.head_count");
        var headWidth = metadata.FindSize($"{name}.attention.key_length") ?? width / Math.Max(1, heads);
        var context = metadata.FindSize($"{name}.context_length") ?? 2048;
        return new DecoderConfig(
            VocabularyOf(file),
            width,
            metadata.GetSize($"{name}.block_count"),
            metadata.GetSize($"{name}.feed_forward_length"),
            heads,
            metadata.FindSize($"{name}.attention.head_count_kv") ?? heads,
            headWidth,
            context,
            metadata.GetFloat($"{name}.attention.layer_norm_rms_epsilon"),
            RotaryFrequencies.FromGguf(file, name, headWidth, context),
            file.Find("blk.0.attn_q.bias") is not null,
            file.Find("blk.0.ffn_gate.bias") is not null,
            file.Find("output.weight") is null).Check(file.Path);
    }

    /// <summary>Rows of the embedding.</summary>
    internal static int VocabularyOf(GgufFile file)
    {
        var embedding = file.Find("token_embd.weight") ?? throw new InputException("missing_tensor", "the model has no tensor 'token_embd.weight'", file.Path);
        return (int)Math.Min(int.MaxValue, embedding.Dimensions.LastOrDefault());
    }

    /// <summary>As the <c>config.json</c> of a Hugging Face folder whose weights are stored as F32.</summary>
    /// <param name="className">The class in transformers.</param>
    /// <exception cref="NotSupportedException">The rotary embedding cannot be said in that format.</exception>
    public JsonObject ToJson(string modelType, string className)
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(className),
            ["model_type"] = modelType,
            ["vocab_size"] = Vocabulary,
            ["hidden_size"] = Width,
            ["intermediate_size"] = FeedForward,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = Heads,
            ["num_key_value_heads"] = KeyValueHeads,
            ["head_dim"] = HeadWidth,
            ["max_position_embeddings"] = ContextLength,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = Exactly(NormEpsilon),
            ["attention_bias"] = AttentionBias,
            ["mlp_bias"] = FeedForwardBias,
            ["tie_word_embeddings"] = Tied,
            ["torch_dtype"] = "float32",
        };
        Rotary.WriteTo(config, HeadWidth);
        return config;
    }

    /// <summary>As the metadata of a GGUF file.</summary>
    /// <param name="architecture">llama.cpp's name of it.</param>
    /// <exception cref="NotSupportedException">The rotary embedding cannot be said in that format.</exception>
    public IReadOnlyList<(string Key, object Value)> ToGguf(string architecture) =>
    [
        ("general.architecture", architecture),
        ($"{architecture}.vocab_size", (uint)Vocabulary),
        ($"{architecture}.context_length", (uint)ContextLength),
        ($"{architecture}.embedding_length", (uint)Width),
        ($"{architecture}.block_count", (uint)Layers),
        ($"{architecture}.feed_forward_length", (uint)FeedForward),
        ($"{architecture}.attention.head_count", (uint)Heads),
        ($"{architecture}.attention.head_count_kv", (uint)KeyValueHeads),
        ($"{architecture}.attention.key_length", (uint)HeadWidth),
        ($"{architecture}.attention.value_length", (uint)HeadWidth),
        ($"{architecture}.attention.layer_norm_rms_epsilon", NormEpsilon),
        .. Rotary.ToGguf(architecture),
    ];

    /// <summary>A float as the shortest number that is read back as the same.</summary>
    public static double Exactly(float value) => double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <exception cref="InputException">Some numbers are impossible or do not fit together.</exception>
    internal DecoderConfig Check(string path)
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

        var pairs = Rotary.Dimensions / 2;
        if (Heads % KeyValueHeads != 0 || Rotary.Dimensions > HeadWidth || Rotary.Dimensions % 2 != 0
            || new[] { Rotary.Divisors, Rotary.ShortDivisors, Rotary.LongDivisors }.Any(divisors => (divisors?.Length ?? pairs) != pairs))
        {
            throw new InputException("bad_config", $"{Heads} heads over {KeyValueHeads} key-value heads of width {HeadWidth} with {Rotary.Dimensions} rotary dimensions do not fit together", path);
        }

        return this;
    }
}
