namespace Apprentice.Data.Tokenizers;

/// <summary>What the metadata of a GGUF file says about its tokenizer, under the keys <c>tokenizer.ggml.*</c>.</summary>
public sealed record GgufVocabulary
{
    /// <summary>A token's type: text, what the vocabulary lacks, special, added but no special one, only there to be counted, a byte.</summary>
    public const int Normal = 1, UnknownType = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    /// <summary><c>model</c>: "gpt2" for byte-level BPE, "llama" for SentencePiece's BPE.</summary>
    public required string Model { get; init; }

    /// <summary><c>pre</c>: the name of the family's splitting; absent means "default".</summary>
    public string? Pre { get; init; }

    /// <summary><c>tokens</c>: the text of each id.</summary>
    public required string[] Tokens { get; init; }

    /// <summary><c>merges</c>: pairs "left right", the most urgent first.</summary>
    public string[] Merges { get; init; } = [];

    /// <summary><c>token_type</c>: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; empty means all normal.</summary>
    public int[] TokenTypes { get; init; } = [];

    /// <summary><c>scores</c> of the tokens, for "llama": the higher is joined first. Empty means that all are equal.</summary>
    public float[] Scores { get; init; } = [];

    /// <summary><c>add_space_prefix</c>, for "llama": whether a space is put before a text; absent means yes.</summary>
    public bool? AddSpacePrefix { get; init; }

    public int? Bos { get; init; }
    public int? Eos { get; init; }
    public int? Unknown { get; init; }
    public int? Padding { get; init; }

    /// <summary><c>add_bos_token</c>; absent means as the family does.</summary>
    public bool? AddBos { get; init; }

    /// <summary><c>add_eos_token</c>; absent means no.</summary>
    public bool? AddEos { get; init; }
}
