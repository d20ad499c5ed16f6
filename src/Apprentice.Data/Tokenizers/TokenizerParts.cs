namespace Apprentice.Data.Tokenizers;

/// <summary>What a <see cref="Tokenizer"/> is put together from, whichever file describes it.</summary>
internal sealed record TokenizerParts
{
    public required Dictionary<string, int> Vocabulary { get; init; }
    public required TokenModel Model { get; init; }
    public IReadOnlyList<PreTokenizer> PreTokenizers { get; init; } = [];
    public Normalizer? Normalizer { get; init; }
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];
    public IReadOnlyList<PostProcessor> PostProcessors { get; init; } = [];

    /// <summary>The steps from tokens back to text.</summary>
    public required IReadOnlyList<Func<DecodingStep>> Decoder { get; init; }
    public int? Bos { get; init; }
    public int? Eos { get; init; }
    public int? Unknown { get; init; }
    public int? Padding { get; init; }

    /// <summary>The id of a token by its text, be it added or of the vocabulary.</summary>
    public int? IdOf(string text) =>
        AddedTokens.FirstOrDefault(t => t.Content == text)?.Id ?? (Vocabulary.TryGetValue(text, out var id) ? id : null);
}
