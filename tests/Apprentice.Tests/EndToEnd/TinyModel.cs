using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.EndToEnd;

/// <summary>
/// A Llama of 24,000 random weights with a byte-level tokenizer and a chat template of its own, as a Hugging Face folder
/// or as a GGUF file. It learns a handful of examples by heart in a second.
/// </summary>
internal static class TinyModel
{
    public const int Width = 32, Layers = 2, Heads = 4, KeyValueHeads = 2, FeedForward = 48, Context = 256, Vocabulary = 265;

    private const string Template =
        "{% for m in messages %}[{{ m['role'] }}]\n{{ m['content'] }}<|end|>\n{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}";

    private static readonly (string Name, string Gguf, long[] Shape)[] Tensors =
    [
        ("model.embed_tokens.weight", "token_embd.weight", [Vocabulary, Width]),
        ("model.norm.weight", "output_norm.weight", [Width]),
        ("lm_head.weight", "output.weight", [Vocabulary, Width]),
        .. Enumerable.Range(0, Layers).SelectMany(i => new (string, string, long[])[]
        {
            ($"model.layers.{i}.input_layernorm.weight", $"blk.{i}.attn_norm.weight", [Width]),
            ($"model.layers.{i}.self_attn.q_proj.weight", $"blk.{i}.attn_q.weight", [Width, Width]),
            ($"model.layers.{i}.self_attn.k_proj.weight", $"blk.{i}.attn_k.weight", [Width / Heads * KeyValueHeads, Width]),
            ($"model.layers.{i}.self_attn.v_proj.weight", $"blk.{i}.attn_v.weight", [Width / Heads * KeyValueHeads, Width]),
            ($"model.layers.{i}.self_attn.o_proj.weight", $"blk.{i}.attn_output.weight", [Width, Width]),
            ($"model.layers.{i}.post_attention_layernorm.weight", $"blk.{i}.ffn_norm.weight", [Width]),
            ($"model.layers.{i}.mlp.gate_proj.weight", $"blk.{i}.ffn_gate.weight", [FeedForward, Width]),
            ($"model.layers.{i}.mlp.up_proj.weight", $"blk.{i}.ffn_up.weight", [FeedForward, Width]),
            ($"model.layers.{i}.mlp.down_proj.weight", $"blk.{i}.ffn_down.weight", [Width, FeedForward]),
        }),
    ];

    /// <summary>Writes the Hugging Face folder.</summary>
    /// <param name="tied">Whether the embedding is the output projection, too.</param>
    /// <param name="broken">A byte whose embedding is not a number, or null.</param>
    public static void WriteFolder(string folder, bool tied = false, byte? broken = null)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(tied).ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), TinyTokenizer.Json());
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"), new JsonObject { ["eos_token"] = "<|end|>", ["chat_template"] = Template }.ToJsonString());
        var tensors = Tensors.Where(t => !tied || t.Name != "lm_head.weight")
            .Select(t => new SafetensorsTensor(t.Name, t.Shape, Values(t.Name, t.Shape, broken)));
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>The same model as GGUF of version 3, all weights F32.</summary>
    public static byte[] Gguf()
    {
        var tokenizer = JsonNode.Parse(TinyTokenizer.Json())!;
        var vocabulary = tokenizer["model"]!["vocab"]!.AsObject().Select(t => t.Key).ToArray();
        string[] added = [.. tokenizer["added_tokens"]!.AsArray().Select(t => (string)t!["content"]!)];
        var builder = new GgufBuilder()
            .Add("general.architecture", "llama")
            .Add("llama.block_count", (uint)Layers)
            .Add("llama.context_length", (uint)Context)
            .Add("llama.embedding_length", (uint)Width)
            .Add("llama.feed_forward_length", (uint)FeedForward)
            .Add("llama.attention.head_count", (uint)Heads)
            .Add("llama.attention.head_count_kv", (uint)KeyValueHeads)
            .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f)
            .Add("tokenizer.ggml.model", "gpt2")
            .Add("tokenizer.ggml.pre", "gpt-2")
            .Add("tokenizer.ggml.tokens", (string[])[.. vocabulary, .. added])
            .Add("tokenizer.ggml.merges", tokenizer["model"]!["merges"]!.AsArray().Select(m => $"{m![0]} {m[1]}").ToArray())
            .Add("tokenizer.ggml.token_type", Enumerable.Range(0, Vocabulary).Select(i => i < vocabulary.Length ? 1 : 3).ToArray())
            .Add("tokenizer.ggml.eos_token_id", (uint)vocabulary.Length)
            .Add("tokenizer.chat_template", Template);
        foreach (var (name, gguf, shape) in Tensors)
        {
            var values = Values(name, shape, null);
            var width = values.Length / (int)shape[0];
            var interleaved = name.Contains(".q_proj.", StringComparison.Ordinal) || name.Contains(".k_proj.", StringComparison.Ordinal);
            builder.Floats(gguf, shape, interleaved ? [.. Enumerable.Range(0, (int)shape[0]).SelectMany(row => values.Skip(Interleaved(row) * width).Take(width))] : values);
        }

        return builder.Build();

        // llama.cpp puts the two halves of each head's rows side by side: (head, half, i) becomes (head, i, half).
        static int Interleaved(int row)
        {
            const int Half = Width / Heads / 2;
            var (head, within) = Math.DivRem(row, 2 * Half);
            return (head * 2 * Half) + (within % 2 * Half) + (within / 2);
        }
    }

    public static JsonObject Config(bool tied = false) => new()
    {
        ["model_type"] = "llama", ["vocab_size"] = Vocabulary, ["hidden_size"] = Width, ["num_hidden_layers"] = Layers,
        ["intermediate_size"] = FeedForward, ["num_attention_heads"] = Heads, ["num_key_value_heads"] = KeyValueHeads,
        ["max_position_embeddings"] = Context, ["rms_norm_eps"] = 1e-5, ["rope_theta"] = 10000.0, ["hidden_act"] = "silu",
        ["tie_word_embeddings"] = tied,
    };

    private static float[] Values(string name, long[] shape, byte? broken)
    {
        var values = new float[shape.Aggregate(1L, (product, n) => product * n)];
        var random = new CounterRandom(1, RandomStream.Initialization, (ulong)Array.FindIndex(Tensors, t => t.Name == name));
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = shape.Length == 1 ? 1 : (float)((random.Uniform((ulong)i) - 0.5) * 0.4);
        }

        if (broken is { } id && name == "model.embed_tokens.weight")
        {
            values[id * Width] = float.NaN; // the first ids are the bytes
        }

        return values;
    }
}
