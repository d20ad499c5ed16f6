using System.Text.Json.Nodes;

namespace Apprentice.Data.ChatTemplates;

/// <summary>What a template is given besides the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>End with the opening of an assistant turn, for the model to go on from.</summary>
    public bool AddGenerationPrompt { get; init; }

    /// <summary>End right after the last message's content, without its end of turn, for the model to go on from.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>Descriptions of tools; null gives the template <c>none</c>.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Tokens by the names that templates use (bos_token, eos_token, …); one that is null or missing is undefined.</summary>
    public IReadOnlyDictionary<string, string?> SpecialTokens { get; init; } = new Dictionary<string, string?>();

    /// <summary>Further variables, such as enable_thinking or documents.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Variables { get; init; } = new Dictionary<string, JsonNode?>();

    /// <summary>The clock of <c>strftime_now</c>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
