using System.Text.Json.Serialization;

namespace Apprentice.Server.Contracts;

/// <summary>The schema CreateChatCompletionResponse.</summary>
internal sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object => "chat.completion";
}

internal sealed record ChatChoice(int Index, AssistantMessage Message, ChatLogprobs? Logprobs, string FinishReason);

internal sealed record AssistantMessage(string? Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ToolCall>? ToolCalls)
{
    public string Role => "assistant";

    public string? Refusal => null;

    public IReadOnlyList<string> Annotations => [];
}

/// <summary>The schema CreateChatCompletionStreamResponse.</summary>
internal record ChatCompletionChunk(string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices)
{
    [JsonPropertyOrder(-1)]
    public string Object => "chat.completion.chunk";
}

/// <summary>The same where the tokens were asked for: null but in the last chunk.</summary>
internal sealed record ChatCompletionUsageChunk(string Id, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, Usage? Usage) : ChatCompletionChunk(Id, Created, Model, Choices);

internal sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogprobs? Logprobs = null, string? FinishReason = null);

[method: JsonConstructor]
internal sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ToolCall>? ToolCalls = null);

/// <summary>A call of a function; with an index in a stream.</summary>
internal sealed record ToolCall(string Id, CalledFunction Function, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Index = null)
{
    public string Type => "function";
}

internal sealed record CalledFunction(string Name, string Arguments);

internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content)
{
    public IReadOnlyList<ChatTokenLogprob>? Refusal => null;
}

/// <summary>The schema ChatCompletionTokenLogprob.</summary>
internal sealed record ChatTokenLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTopLogprob> TopLogprobs);

internal sealed record ChatTopLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes);
