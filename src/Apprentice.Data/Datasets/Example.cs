using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// One example, whatever format it came from: a conversation to be rendered by the model's chat template,
/// or plain text. Exactly one of <see cref="Messages"/> (not empty) and <see cref="Text"/> (not null) is there.
/// </summary>
public sealed record Example
{
    /// <summary>The file, as the user named it.</summary>
    public required string File { get; init; }

    /// <summary>One-based line where the record begins.</summary>
    public required long Line { get; init; }

    /// <summary>Objects with <c>role</c>, <c>content</c> and where given <c>tool_calls</c>, <c>name</c> and so on; the last is the
    /// assistant's. <c>weight</c> is taken out into <see cref="Weights"/>. Empty for plain text.</summary>
    public IReadOnlyList<JsonObject> Messages { get; init; } = [];

    /// <summary>For each message 1 where it is learned and 0 where it is only read.</summary>
    public IReadOnlyList<float> Weights { get; init; } = [];

    /// <summary>The tools offered to the model, as OpenAI writes them, or null.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Plain text, every token of which is learned, or null.</summary>
    public string? Text { get; init; }

    /// <summary>Prompt and completion as they stand in a prompt/completion file, for training without a chat template.</summary>
    public (string Prompt, string Completion)? Raw { get; init; }

    /// <summary>What the model is given in evaluation: every message before the last assistant message.</summary>
    public IReadOnlyList<JsonObject> Prompt => Messages.Take(LastAssistant).ToArray();

    /// <summary>What it should answer: the content of the last assistant message (empty where it only calls tools), or the plain text.</summary>
    public string Expected => Text ?? (string?)Messages[LastAssistant]["content"] ?? "";

    /// <summary>The same with a system message first, where it has none of its own.</summary>
    public Example WithSystem(string system) =>
        Messages.Count == 0 || (string?)Messages[0]["role"] == "system"
            ? this
            : this with
            {
                Messages = [new JsonObject { ["role"] = "system", ["content"] = system }, .. Messages],
                Weights = [0, .. Weights],
            };

    // The reader makes sure that a conversation ends in the assistant's message.
    private int LastAssistant => Math.Max(0, Messages.Count - 1);
}

/// <summary>The examples of one file, in its order; never empty.</summary>
public sealed record Dataset(string File, DatasetFormat Format, IReadOnlyList<Example> Examples)
{
    /// <summary>The table that they were rows of, as a sentence says it; null where they are JSON.</summary>
    public string? Table { get; init; }

    /// <summary>What was found out about the file.</summary>
    public string Description => Table is null ? Format.Describe() : $"{Format.Describe()} in {Table}";
}
