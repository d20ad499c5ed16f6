namespace Apprentice.Models.Generation;

/// <summary>One answer. These names in snake_case are what <c>generate --json</c> promises.</summary>
/// <param name="Text">Without the stop string and the end-of-turn token.</param>
/// <param name="PromptTokens">Tokens of the rendered prompt.</param>
/// <param name="CompletionTokens">Tokens generated, the end-of-turn token included.</param>
/// <param name="FinishReason"><c>stop</c> (end of turn or stop string) or <c>length</c> (the token limit).</param>
/// <param name="PromptTokensPerSecond">Speed of reading the prompt.</param>
/// <param name="TokensPerSecond">Speed of writing the answer.</param>
public sealed record GenerationResult(
    string Text,
    int PromptTokens,
    int CompletionTokens,
    string FinishReason,
    double PromptTokensPerSecond,
    double TokensPerSecond);
