namespace Apprentice.Server.Contracts;

/// <summary>The schema CompletionUsage: tokens of the prompts, of all answers, and how many of the prompts' were in the cache.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails)
{
    public static Usage Of(int prompt, int cached, int completion) => new(prompt, completion, prompt + completion, new PromptTokensDetails(cached));
}

/// <inheritdoc cref="Usage"/>
internal sealed record PromptTokensDetails(int CachedTokens);
