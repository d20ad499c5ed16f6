namespace Apprentice.Data.Tokenizers;

/// <summary>What a <see cref="Tokenizer"/> is put together from, whichever file describes it.</summary>
internal sealed record TokenizerParts
{
    public required Dictionary<string, int> Vocabulary { get; init; }
    public required BytePairEncoder Encoder { get; init; }
    public required IReadOnlyList<PreTokenizer> PreTokenizers { get; init; }

    /// <summary>Whether the pre-tokenizers give pieces that are written in the byte alphabet already.</summary>
    public bool PiecesAreBytes { get; init; }

    public Normalizer? Normalizer { get; init; }
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];
    public IReadOnlyList<PostProcessor> PostProcessors { get; init; } = [];
    public int? Bos { get; init; }
    public int? Eos { get; init; }
    public int? Unknown { get; init; }
    public int? Padding { get; init; }
}
