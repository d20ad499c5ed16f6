namespace Apprentice.Models.Weights;

/// <summary>What an architecture's weights are called in a GGUF file, and what is stored otherwise there, for both directions.</summary>
/// <param name="Names">Modules in Hugging Face's spelling (N: the layer) to those of llama.cpp.</param>
public sealed record GgufMapping(IReadOnlyDictionary<string, string> Names)
{
    /// <summary>
    /// For a weight whose rows are stored with the halves of each head interleaved (q and k of Llama): the number of heads;
    /// else null.
    /// </summary>
    public Func<string, int?> InterleavedHeads { get; init; } = _ => null;

    /// <summary>What is already inside the stored norms and must come off again: 1 for Gemma.</summary>
    public float NormOffset { get; init; }

    /// <returns>The file's name of a weight, or null where it has none.</returns>
    public string? Translate(string name) => GgufNames.Translate(name, Names);

    public float OffsetOf(string name) => name.EndsWith("norm.weight", StringComparison.Ordinal) ? NormOffset : 0;

    /// <summary>For Llama, whose q and k are interleaved, and those that follow it.</summary>
    public static Func<string, int?> Interleaved(int heads, int keyValueHeads) => name =>
        name.Contains(".q_proj.", StringComparison.Ordinal) ? heads
        : name.Contains(".k_proj.", StringComparison.Ordinal) ? keyValueHeads
        : null;

    /// <summary>The names that Llama and its relatives have in common.</summary>
    /// <param name="more">Those of one of them, which go before.</param>
    public static IReadOnlyDictionary<string, string> LlamaNames(params (string HuggingFace, string Gguf)[] more)
    {
        var names = new Dictionary<string, string>
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
        foreach (var (huggingFace, gguf) in more)
        {
            names[huggingFace] = gguf;
        }

        return names;
    }
}
