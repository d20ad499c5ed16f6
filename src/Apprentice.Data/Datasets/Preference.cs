using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Two answers to one prompt, of which one is preferred: two examples that begin with the same messages. Of each only the answer
/// has weight, so that either is an example for supervised training as it is.
/// </summary>
/// <param name="Chosen">Prompt and the preferred answer.</param>
/// <param name="Rejected">Prompt and the other one.</param>
/// <param name="PromptMessages">How many messages both begin with.</param>
public sealed record Preference(Example Chosen, Example Rejected, int PromptMessages)
{
    /// <summary>What both answer.</summary>
    public IReadOnlyList<JsonObject> Prompt => [.. Chosen.Messages.Take(PromptMessages)];
}

/// <summary>The preferences of one file, in its order; never empty.</summary>
public sealed record PreferenceSet(string File, IReadOnlyList<Preference> Preferences);
