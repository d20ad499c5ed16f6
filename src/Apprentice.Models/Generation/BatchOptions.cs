using Apprentice.Models.Architectures;

namespace Apprentice.Models.Generation;

/// <summary>How much a <see cref="BatchedGenerator"/> takes on at once.</summary>
public sealed record BatchOptions
{
    /// <summary>Sequences that are generated together; further ones wait in the order in which they came.</summary>
    public int Parallel { get; init; } = 64;

    /// <summary>
    /// Tokens whose keys and values are kept, over all sequences and the beginnings of earlier prompts; null: what
    /// <see cref="Parallel"/> sequences of the model's context take, but at most a quarter of the machine's memory.
    /// </summary>
    public int? CacheTokens { get; init; }

    /// <summary>Threads to compute with; 0: one a core.</summary>
    public int Threads { get; init; }

    /// <summary>Tokens that fit into the cache of a model, at least one block of them.</summary>
    internal int CacheTokensOf(LanguageModel model)
    {
        var bytesPerToken = 2L * model.Layers * model.KeyValueWidth * sizeof(float);
        var affordable = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 / bytesPerToken;
        var wanted = (long)Parallel * KeyValueBlocks.For(model.ContextLength) * KeyValueBlocks.Tokens;
        return CacheTokens ?? (int)Math.Clamp(wanted, 1, Math.Min(affordable, int.MaxValue / 2));
    }
}

/// <summary>What a <see cref="BatchedGenerator"/> is doing.</summary>
/// <param name="Active">Sequences being generated.</param>
/// <param name="Waiting">Sequences that wait for a place.</param>
/// <param name="CachedTokens">Tokens whose keys and values are held now.</param>
/// <param name="CacheTokens">Tokens that could be.</param>
/// <param name="PromptTokens">Prompt tokens since the start, those found in the cache included.</param>
/// <param name="ReusedTokens">Prompt tokens found in the cache since the start.</param>
/// <param name="CompletionTokens">Tokens generated since the start.</param>
public sealed record BatchStatistics(int Active, int Waiting, int CachedTokens, int CacheTokens, long PromptTokens, long ReusedTokens, long CompletionTokens);
