namespace Apprentice.Models.Generation;

/// <summary>A part of an answer as it comes. Its text may be empty: a character can take several tokens, and what may begin a stop string is held back.</summary>
/// <param name="Text">What is certain now.</param>
/// <param name="LogProbabilities">Of the tokens since the last piece; empty where none were asked for.</param>
/// <param name="End">With the last piece, else null.</param>
public sealed record GeneratedPiece(string Text, IReadOnlyList<TokenLogProbability> LogProbabilities, GenerationEnd? End = null);

/// <summary>How an answer ended.</summary>
/// <param name="Reason">End token or stop string, or its longest length.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CachedTokens">How many of them had been computed for an earlier prompt.</param>
/// <param name="CompletionTokens">Tokens generated, the end token included.</param>
/// <param name="StopString">The stop string that ended it, or null.</param>
public sealed record GenerationEnd(FinishReason Reason, int PromptTokens, int CachedTokens, int CompletionTokens, string? StopString = null);
