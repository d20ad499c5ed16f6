using System.Text.Json.Serialization;

namespace Apprentice.Server.Contracts;

/// <summary>The schema CreateCompletionResponse, as a piece of a stream without the tokens.</summary>
internal record TextCompletionChunk(string Id, long Created, string Model, IReadOnlyList<TextChoice> Choices)
{
    [JsonPropertyOrder(-1)]
    public string Object => "text_completion";
}

/// <summary>The same with the tokens: whole, or a piece of a stream, in which they are null but in the last one.</summary>
internal sealed record TextCompletion(string Id, long Created, string Model, IReadOnlyList<TextChoice> Choices, Usage? Usage) : TextCompletionChunk(Id, Created, Model, Choices);

/// <param name="FinishReason">Null in a stream until its end, as OpenAI's API has it, though the description names no null.</param>
internal sealed record TextChoice(int Index, string Text, TextLogprobs? Logprobs, string? FinishReason);

/// <param name="Tokens">Each token's text.</param>
/// <param name="TokenLogprobs">Of the chosen ones.</param>
/// <param name="TopLogprobs">The most probable ones and the chosen one, by their text.</param>
/// <param name="TextOffset">Where each token's text begins.</param>
internal sealed record TextLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<double> TokenLogprobs, IReadOnlyList<IReadOnlyDictionary<string, double>> TopLogprobs, IReadOnlyList<int> TextOffset);
