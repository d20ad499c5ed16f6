namespace Apprentice.Models.Generation;

/// <summary>A token of an answer, and how probable the model found it before temperature and filters.</summary>
/// <param name="Token">The chosen one.</param>
/// <param name="Top">The most probable ones, in order; as many as were asked for.</param>
public sealed record TokenLogProbability(ScoredToken Token, IReadOnlyList<ScoredToken> Top);

/// <summary>A token and the natural logarithm of its probability.</summary>
public readonly record struct ScoredToken(int Id, double LogProbability);
