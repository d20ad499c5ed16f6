using Apprentice.Data;

namespace Apprentice.Models.Generation;

/// <summary>What a prompt leaves of a context for its answer.</summary>
internal static class PromptRoom
{
    /// <returns>Tokens that the answer may have.</returns>
    /// <exception cref="InputException">Code <c>empty_prompt</c> or <c>prompt_too_long</c>.</exception>
    public static int Of(int[] prompt, int context)
    {
        RequireTokens(prompt);
        return prompt.Length < context ? context - prompt.Length : throw new InputException(
            "prompt_too_long", $"the prompt has {prompt.Length} tokens; the model's context of {context} leaves no room for an answer");
    }

    /// <exception cref="InputException">Code <c>empty_prompt</c>.</exception>
    public static void RequireTokens(int[] prompt)
    {
        if (prompt.Length == 0)
        {
            throw new InputException("empty_prompt", "the prompt has no tokens; at least one is needed");
        }
    }
}
