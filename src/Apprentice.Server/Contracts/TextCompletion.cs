using System.Text.Json.Serialization;

namespace Apprentice.Server.Contracts;

/// <summary>The schema CreateCompletionResponse, whole or a piece of a stream.</summary>
internal sealed record TextCompletion(
    string Id, long Created, string Model, IReadOnlyList<TextChoice> Choices, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Usage? Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object => "text_completion";
}

/// <summary>A piece of a stream where the tokens were asked for: null but in the last one.</summary>
internal sealed record TextCompletionUsageChunk(string Id, long Created, string Model, IReadOnlyList<TextChoice> Choices, Usage? Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object => "text_completion";
}

/// <param name="FinishReason">Null in a stream until its end, as OpenAI's API has it, though the description names no null.</param>
internal sealed record TextChoice(int Index, string Text, TextLogprobs? Logprobs, string? FinishReason);

/// <param name="Tokens">Each token's text.</param>
/// <param name="TokenLogprobs">Of the chosen ones.</param>
/// <param name="TopLogprobs">The most probable ones and the chosen one, by their text.</param>
/// <param name="TextOffset">Where each token's text begins.</param>
internal sealed record TextLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<double> TokenLogprobs, IReadOnlyList<IReadOnlyDictionary<string, double>> TopLogprobs, IReadOnlyList<int> TextOffset);
