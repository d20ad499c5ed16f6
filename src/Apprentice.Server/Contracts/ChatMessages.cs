using System.Text.Json;
using System.Text.Json.Nodes;
using Apprentice.Data;

namespace Apprentice.Server.Contracts;

/// <summary>The field <c>messages</c>, as chat templates take it: contents are text, arguments of calls are objects.</summary>
internal static class ChatMessages
{
    private const int MaximumMessages = 10_000, LongestName = 64;

    /// <exception cref="ApiException">400, naming the message.</exception>
    public static IReadOnlyList<JsonObject> Read(RequestFields fields)
    {
        var messages = fields.Array("messages", MaximumMessages, shortest: 1) ?? throw ApiException.Missing("messages");
        return [.. messages.Select((m, i) => Read(m as JsonObject ?? throw RequestFields.WrongTypeAt($"messages[{i}]", "an object", m), $"messages[{i}]"))];
    }

    private static JsonObject Read(JsonObject json, string path)
    {
        var fields = new RequestFields(json, path);
        var role = fields.RequireText("role");
        var message = new JsonObject { ["role"] = role == "developer" ? "system" : role };
        switch (role)
        {
            case "system" or "developer" or "user":
                message["content"] = Content(fields) ?? throw ApiException.Missing(fields.NameOf("content"));
                break;
            case "assistant":
                ReadAssistant(fields, message);
                break;
            case "tool":
                message["content"] = Content(fields) ?? throw ApiException.Missing(fields.NameOf("content"));
                message["tool_call_id"] = fields.RequireText("tool_call_id");
                break;
            case "function":
                throw ApiException.UnsupportedValue(fields.NameOf("role"), "'function'", "It is deprecated in favor of 'tool'.");
            default:
                throw new ApiException(
                    400, $"Invalid value: '{ApiException.Shown(role)}'. Supported values are: 'system', 'developer', 'user', 'assistant' and 'tool'.", fields.NameOf("role"), "invalid_value");
        }

        if (role != "tool" && fields.Text("name", LongestName) is { } name)
        {
            message["name"] = name;
        }

        fields.RequireNoOthers();
        return message;
    }

    private static void ReadAssistant(RequestFields fields, JsonObject message)
    {
        var calls = fields.Array("tool_calls", ChatTools.MaximumTools, shortest: 1);
        var content = Content(fields);
        if (content is null && calls is null)
        {
            throw ApiException.Missing(fields.NameOf("content"));
        }

        message["content"] = content ?? "";
        fields.Refuse("refusal", "is not supported here: leave it out, or put it into 'content'.");
        fields.Refuse("audio", "is not supported with this model.");
        fields.Refuse("function_call", "is not supported: it is deprecated in favor of 'tool_calls'.");
        fields.Accept("annotations", JsonValueKind.Array, "an array"); // of an answer that is given back as it came
        if (calls is not null)
        {
            message["tool_calls"] = new JsonArray([.. calls.Select((c, i) => (JsonNode)Call(c, $"{fields.NameOf("tool_calls")}[{i}]"))]);
        }
    }

    private static JsonObject Call(JsonNode? node, string path)
    {
        var call = new RequestFields(node as JsonObject ?? throw RequestFields.WrongTypeAt(path, "an object", node), path);
        if (call.RequireText("type") is not "function" and var type)
        {
            throw ApiException.UnsupportedValue(call.NameOf("type"), $"'{ApiException.Shown(type)}'", "Supported values are: 'function'.");
        }

        var function = call.Object("function") ?? throw ApiException.Missing(call.NameOf("function"));
        var result = new JsonObject
        {
            ["id"] = call.RequireText("id"),
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = function.RequireText("name"), ["arguments"] = Arguments(function) },
        };
        function.RequireNoOthers();
        call.RequireNoOthers();
        return result;
    }

    /// <summary>OpenAI's API has the arguments as a text, templates take them as what the text says.</summary>
    private static JsonNode Arguments(RequestFields function)
    {
        var text = function.RequireText("arguments");
        return text.Trim().Length == 0 ? new JsonObject()
            : StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(text), out _) as JsonObject
            ?? throw ApiException.InvalidValue(function.NameOf("arguments"), "expected a JSON object in a string.");
    }

    /// <summary>A text, or the texts of its parts put together; null where there is none.</summary>
    private static string? Content(RequestFields fields)
    {
        var node = fields.Any("content");
        return node switch
        {
            null => null,
            JsonArray => string.Concat(fields.Array("content", MaximumMessages, shortest: 1)!.Select((part, i) => Part(part, $"{fields.NameOf("content")}[{i}]"))),
            _ when node.GetValueKind() == JsonValueKind.String => node.GetValue<string>(),
            _ => throw fields.WrongType("content", "a string or an array of content parts", node),
        };
    }

    private static string Part(JsonNode? node, string path)
    {
        var part = new RequestFields(node as JsonObject ?? throw RequestFields.WrongTypeAt(path, "an object", node), path);
        var type = part.RequireText("type");
        if (type != "text")
        {
            throw ApiException.UnsupportedValue(part.NameOf("type"), $"'{ApiException.Shown(type)}'", "This model reads text only: supported values are: 'text'.");
        }

        part.Accept("prompt_cache_breakpoint", JsonValueKind.Object, "an object");
        var text = part.RequireText("text");
        part.RequireNoOthers();
        return text;
    }
}
