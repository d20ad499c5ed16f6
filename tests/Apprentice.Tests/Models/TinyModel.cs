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

    public static LlamaConfig Config { get; } = new(
        Vocabulary: 265, Width: 16, Layers: 2, FeedForward: 24, Heads: 4, KeyValueHeads: 2, HeadWidth: 4, ContextLength: 256,
        NormEpsilon: 1e-5f, new RotaryFrequencies(4, 10_000), AttentionBias: false, FeedForwardBias: false, Tied: true);

    /// <summary>The model itself, without files.</summary>
    public static Llama Make(LlamaConfig? config = null, ulong seed = 1, bool trainable = false) =>
        new(config ?? Config, new RandomSource(seed, trainable));

    /// <summary>A Hugging Face folder; extra fields go into its configuration.</summary>
    public static string Folder(ScratchFolder scratch, string name = "tiny", string? template = Template, string end = "<|end|>", int? endId = End, int seed = 1)
    {
        var folder = Directory.CreateDirectory(scratch.File(name)).FullName;
        var config = Config.ToJson();
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
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        using var model = Make(seed: seed);
        var tensors = model.Weights.Select(t => (Name: GgufName(t.Key), t.Value.Shape, Values: t.Value.ToArray(), Half: t.Value.Shape.Count == 2)).ToList();
        if (divisors is not null)
        {
            tensors.Add(("rope_freqs.weight", [divisors.Length], divisors, false));
        }

        string[] tokens = [.. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Character((byte)b).ToString()), "aa", "aaaa", "th", "the", "Ġthe", "ab", "<|end|>", "<call>", "<s>"];
        int[] types = [.. Enumerable.Repeat(1, 262), 3, 4, 3];
        // "ab" has no merge: llama 3 takes words of the vocabulary whole.
        var values = new List<(string Key, uint Type, Action Write)>
        {
            ("general.architecture", 8, () => Text("llama")), ("llama.block_count", 4, () => w.Write(Config.Layers)),
            ("llama.embedding_length", 4, () => w.Write(Config.Width)), ("llama.feed_forward_length", 4, () => w.Write(Config.FeedForward)),
            ("llama.attention.head_count", 4, () => w.Write(Config.Heads)), ("llama.attention.head_count_kv", 4, () => w.Write(Config.KeyValueHeads)),
            ("llama.context_length", 4, () => w.Write(Config.ContextLength)), ("llama.attention.layer_norm_rms_epsilon", 6, () => w.Write(Config.NormEpsilon)),
            ("tokenizer.ggml.model", 8, () => Text("gpt2")), ("tokenizer.ggml.pre", 8, () => Text("llama-bpe")),
            ("tokenizer.ggml.tokens", 9, () => Items(8, tokens, Text)), ("tokenizer.ggml.token_type", 9, () => Items(5, types, w.Write)),
            ("tokenizer.ggml.merges", 9, () => Items(8, ["a a", "aa aa", "t h", "th e", "Ġ the"], Text)),
            ("tokenizer.ggml.bos_token_id", 4, () => w.Write(264)), ("tokenizer.ggml.eos_token_id", 4, () => w.Write(End)),
            ("tokenizer.chat_template", 8, () => Text(Template)),
        };
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((ulong)tensors.Count);
        w.Write((ulong)values.Count);
        foreach (var (key, type, write) in values)
        {
            Text(key);
            w.Write(type);
            write();
        }

        var offset = 0L;
        foreach (var (name, shape, data, half) in tensors)
        {
            Text(name);
            w.Write((uint)shape.Count);
            foreach (var n in shape.Reverse())
            {
                w.Write(n);
            }

            w.Write(half ? 1u : 0u);
            w.Write(offset);
            offset += (data.Length * (half ? 2 : 4) + 31) / 32 * 32;
        }

        Pad();
        foreach (var (_, _, data, half) in tensors)
        {
            foreach (var value in data)
            {
                if (half)
                {
                    w.Write((Half)value);
                }
                else
                {
                    w.Write(value);
                }
            }

            Pad();
        }

        return scratch.Write("tiny.gguf", stream.ToArray());

        void Pad() => w.Write(new byte[(32 - (stream.Position % 32)) % 32]);

        void Text(string text)
        {
            var utf8 = System.Text.Encoding.UTF8.GetBytes(text);
            w.Write((ulong)utf8.Length);
            w.Write(utf8);
        }

        void Items<T>(uint type, T[] items, Action<T> write)
        {
            w.Write(type);
            w.Write((ulong)items.Length);
            Array.ForEach(items, write);
        }
    }

    private static string GgufName(string name) => name
        .Replace("model.embed_tokens", "token_embd", StringComparison.Ordinal).Replace("model.norm", "output_norm", StringComparison.Ordinal)
        .Replace("model.layers", "blk", StringComparison.Ordinal).Replace("input_layernorm", "attn_norm", StringComparison.Ordinal)
        .Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal).Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
        .Replace("self_attn.", "attn_", StringComparison.Ordinal).Replace("mlp.", "ffn_", StringComparison.Ordinal).Replace("_proj", "", StringComparison.Ordinal);

    private sealed class RandomSource(ulong seed, bool trainable) : WeightSource
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
