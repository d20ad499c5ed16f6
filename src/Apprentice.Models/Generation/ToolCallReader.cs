using System.Text;
using System.Text.Json;
using Apprentice.Models.Registry;
using Microsoft.Extensions.AI;

namespace Apprentice.Models.Generation;

/// <summary>
/// Takes calls of tools out of an answer as it comes, written as Hermes, Qwen and SmolLM3 do:
/// <c>&lt;tool_call&gt;{"name": …, "arguments": {…}}&lt;/tool_call&gt;</c>. Text before the first call is handed on at once.
/// </summary>
public sealed class ToolCallReader
{
    public const string Begin = "<tool_call>";
    private const string End = "</tool_call>";
    private const int MaximumDepth = 64;

    private readonly StopMatcher _begin = new([Begin]);
    private readonly StringBuilder _calls = new();

    /// <summary>Whether the model's chat template offers tools and has them called in this way.</summary>
    public static bool IsUsedBy(ModelText text) =>
        TemplateFeatures.Of(text) is { Tools: true } && text.Template!.Source.Contains(Begin, StringComparison.Ordinal);

    /// <summary>What of the answer is text for certain.</summary>
    public string Push(string piece)
    {
        var text = new StringBuilder();
        foreach (var c in piece)
        {
            _ = _begin.Matched is null ? text.Append(_begin.Push(c.ToString())) : _calls.Append(c);
        }

        return text.ToString();
    }

    /// <summary>At the end: text that was held back, and the calls. What is no sound call is text, as the model wrote it.</summary>
    public (string Text, IReadOnlyList<FunctionCallContent> Calls) Finish()
    {
        if (_begin.Matched is null)
        {
            return (_begin.Finish(), []);
        }

        var calls = new List<FunctionCallContent>();
        var text = new StringBuilder();
        foreach (var part in _calls.ToString().Split(Begin))
        {
            var end = part.IndexOf(End, StringComparison.Ordinal);
            if (Read(end < 0 ? part : part[..end]) is { } call)
            {
                calls.Add(call);
                text.Append(end < 0 ? "" : part[(end + End.Length)..].Trim());
            }
            else
            {
                text.Append(Begin).Append(part);
            }
        }

        return (text.ToString(), calls);
    }

    private static FunctionCallContent? Read(string json)
    {
        try
        {
            using var call = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaximumDepth });
            return call.RootElement.ValueKind == JsonValueKind.Object
                && call.RootElement.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && call.RootElement.TryGetProperty("arguments", out var arguments) && arguments.ValueKind == JsonValueKind.Object
                ? new FunctionCallContent($"call_{Guid.NewGuid():N}", name.GetString()!, arguments.EnumerateObject().ToDictionary(a => a.Name, object? (a) => a.Value.Clone()))
                : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null; // cut off, no JSON, a name twice, or a lone surrogate
        }
    }
}
