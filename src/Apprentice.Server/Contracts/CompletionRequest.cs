using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Server.Contracts;

/// <summary>A prompt that is gone on with: text, or its tokens.</summary>
/// <param name="Text">Null where it was given as tokens.</param>
/// <param name="Ids">Null where it was given as text.</param>
internal sealed record TextPrompt(string? Text, int[]? Ids);

/// <summary>The schema CreateCompletionRequest, as far as it can be done here; the rest is refused by name.</summary>
/// <param name="Model">A served model's name.</param>
/// <param name="Prompts">At least one.</param>
/// <param name="Echo">Whether the answer begins with the prompt.</param>
/// <param name="MaxTokens">Longest answer; 0 answers nothing.</param>
/// <param name="Sampling">How to answer.</param>
internal sealed record CompletionRequest(string Model, IReadOnlyList<TextPrompt> Prompts, bool Echo, int MaxTokens, SamplingRequest Sampling)
{
    private const int MaximumPrompts = 128, DefaultMaxTokens = 16;

    /// <exception cref="ApiException">400: the request is not as it should be, or asks for what cannot be done.</exception>
    public static CompletionRequest Read(RequestFields fields)
    {
        var model = fields.RequireText("model");
        var prompts = ReadPrompts(fields);
        var echo = fields.Flag("echo") ?? false;
        var longest = (int)(fields.Integer("max_tokens", 0, int.MaxValue) ?? DefaultMaxTokens);
        var top = (int?)fields.Integer("logprobs", 0, 5);
        var sampling = SamplingRequest.Read(fields);
        sampling = sampling with { Sampling = sampling.Sampling with { MaxTokens = Math.Max(1, longest), LogProbabilities = top } };
        if (echo && top is not null)
        {
            throw ApiException.Unsupported("echo", "is not supported together with 'logprobs'.");
        }

        if (fields.Integer("best_of", 0, 20) is { } best && best > 0 && best != sampling.Choices)
        {
            throw ApiException.Unsupported("best_of", "is not supported here other than as large as 'n'.");
        }

        if ((long)prompts.Count * sampling.Choices > MaximumPrompts)
        {
            throw ApiException.InvalidValue("n", $"expected at most {MaximumPrompts} answers to all prompts together.");
        }

        fields.Refuse("suffix", "is not supported with this model.", "\"\"");
        fields.RequireNoOthers();
        return new CompletionRequest(model, prompts, echo, longest, sampling);
    }

    private static List<TextPrompt> ReadPrompts(RequestFields fields)
    {
        switch (fields.Any("prompt"))
        {
            case null:
                throw ApiException.Missing("prompt");
            case JsonArray:
                var array = fields.Array("prompt", int.MaxValue, shortest: 1)!;
                if (array.All(IsNumber))
                {
                    return [Tokens(array, "prompt")];
                }

                if (array.Count > MaximumPrompts)
                {
                    fields.Array("prompt", MaximumPrompts); // says so
                }

                return [.. array.Select((p, i) => p switch
                {
                    JsonArray { Count: > 0 } ids => Tokens(ids, $"prompt[{i}]"),
                    not null when p.GetValueKind() == JsonValueKind.String => new TextPrompt(p.GetValue<string>(), null),
                    _ => throw RequestFields.WrongTypeAt($"prompt[{i}]", "a string or an array of tokens", p),
                })];
            case var node when node.GetValueKind() == JsonValueKind.String:
                return [new TextPrompt(node.GetValue<string>(), null)];
            case var node:
                throw fields.WrongType("prompt", "a string or an array", node);
        }
    }

    private static bool IsNumber(JsonNode? node) => node?.GetValueKind() == JsonValueKind.Number;

    private static TextPrompt Tokens(JsonArray ids, string name) =>
        new(null, [.. ids.Select((id, i) => id is JsonValue value && IsNumber(id) && value.TryGetValue<int>(out var token) && token >= 0 ? token : throw RequestFields.WrongTypeAt($"{name}[{i}]", "a token id", id))]);
}
