using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tensors;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models;

/// <summary>A random Llama of a few thousand weights over the tiny tokenizer, as a Hugging Face folder or as a GGUF file.</summary>
internal static class TinyModel
{
    public const string Template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";

    /// <summary>Ids of the tiny tokenizer's added tokens.</summary>
    public const int End = 262;

    public static DecoderConfig Config { get; } = new(
        Vocabulary: 265, Width: 16, Layers: 2, FeedForward: 24, Heads: 4, KeyValueHeads: 2, HeadWidth: 4, ContextLength: 256,
        NormEpsilon: 1e-5f, new RotaryFrequencies(4, 10_000), AttentionBias: false, FeedForwardBias: false, Tied: true);

    /// <summary>The model itself, without files.</summary>
    public static Llama Make(DecoderConfig? config = null, ulong seed = 1, bool trainable = false) =>
        new(config ?? Config, new RandomSource(seed, trainable));

    /// <summary>A Hugging Face folder; extra fields go into its configuration.</summary>
    public static string Folder(ScratchFolder scratch, string name = "tiny", string? template = Template, string end = "<|end|>", int? endId = End, int seed = 1)
    {
        var folder = Directory.CreateDirectory(scratch.File(name)).FullName;
        var config = Config.ToJson("llama", "LlamaForCausalLM");
        if (endId is { } id)
        {
            config["eos_token_id"] = id;
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), TinyTokenizer.Json());
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            new System.Text.Json.Nodes.JsonObject { ["eos_token"] = end, ["chat_template"] = template }.ToJsonString());
        using var model = Make(seed: (ulong)seed);
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"), model.Weights.Select(w => new SafetensorsTensor(w.Key, w.Value.Shape, w.Value.CopyTo)));
        return folder;
    }

    /// <summary>A GGUF file whose matrices are F16 and whose vectors are F32; its configuration may have rotary divisors.</summary>
    public static string Gguf(ScratchFolder scratch, float[]? divisors = null, ulong seed = 1)
    {
        // "ab" has no merge: llama 3 takes words of the vocabulary whole.
        string[] tokens = [.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Character((byte)b).ToString()), "aa", "aaaa", "th", "the", "Ġthe", "ab", "<|end|>", "<call>", "<s>"];
        var builder = new GgufBuilder()
            .Add("general.architecture", "llama")
            .Add("llama.block_count", (uint)Config.Layers)
            .Add("llama.embedding_length", (uint)Config.Width)
            .Add("llama.feed_forward_length", (uint)Config.FeedForward)
            .Add("llama.attention.head_count", (uint)Config.Heads)
            .Add("llama.attention.head_count_kv", (uint)Config.KeyValueHeads)
            .Add("llama.context_length", (uint)Config.ContextLength)
            .Add("llama.attention.layer_norm_rms_epsilon", Config.NormEpsilon)
            .Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "llama-bpe")
            .Add("tokenizer.ggml.tokens", tokens)
            .Add("tokenizer.ggml.token_type", (int[])[.. Enumerable.Repeat(1, 262), 3, 4, 3])
            .Add("tokenizer.ggml.merges", new[] { "a a", "aa aa", "t h", "th e", "Ġ the" })
            .Add("tokenizer.ggml.bos_token_id", 264u)
            .Add("tokenizer.ggml.eos_token_id", (uint)End)
            .Add("tokenizer.chat_template", Template);
        using var model = Make(seed: seed);
        foreach (var (name, weight) in model.Weights)
        {
            builder.Floats(GgufName(name), weight.Shape, weight.ToArray(), half: weight.Shape.Count == 2);
        }

        if (divisors is not null)
        {
            builder.Floats("rope_freqs.weight", [divisors.Length], divisors);
        }

        return scratch.Write("tiny.gguf", builder.Build());
    }

    private static string GgufName(string name) => name
        .Replace("model.embed_tokens", "token_embd", StringComparison.Ordinal).Replace("model.norm", "output_norm", StringComparison.Ordinal)
        .Replace("model.layers", "blk", StringComparison.Ordinal).Replace("input_layernorm", "attn_norm", StringComparison.Ordinal)
        .Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal).Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
        .Replace("self_attn.", "attn_", StringComparison.Ordinal).Replace("mlp.", "ffn_", StringComparison.Ordinal).Replace("_proj", "", StringComparison.Ordinal);

    /// <summary>Any weight that is asked for, at random: vectors around 1.</summary>
    internal sealed class RandomSource(ulong seed, bool trainable) : WeightSource
    {
        public override string Path => "random";

        public override IReadOnlyList<string> Files => [];

        public override bool Has(string name) => true;

        public override Weight Get(string name, params long[] shape)
        {
            var random = new CounterRandom(seed, RandomStream.Initialization, (ulong)name.Sum(c => c) + (ulong)name.Length);
            var count = (int)shape.Aggregate((a, b) => a * b);
            var scale = shape.Length == 1 ? 0.2 : 2 / Math.Sqrt(shape[1]);
            var values = Enumerable.Range(0, count).Select(i => (float)(Half)((shape.Length == 1 ? 1 : 0) + scale * (2 * random.Uniform((ulong)i) - 1))).ToArray();
            return Weight.FromValues(name, trainable, values, shape);
        }
    }
}
