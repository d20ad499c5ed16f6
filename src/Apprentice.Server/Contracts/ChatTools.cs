using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Server.Contracts;

/// <summary>The fields <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>: functions that the model may call if it likes to.</summary>
internal static class ChatTools
{
    public const int MaximumTools = 128;
    private const int LongestName = 64;

    /// <returns>The functions as chat templates take them; null where the model is to call none.</returns>
    /// <exception cref="ApiException">400.</exception>
    public static JsonArray? Read(RequestFields fields)
    {
        var given = fields.Array("tools", MaximumTools);
        var tools = given?.Select((t, i) => Tool(t, $"tools[{i}]")).ToArray();
        var choice = Choice(fields);
        fields.Refuse("parallel_tool_calls", "is not supported here: the number of calls cannot be limited; leave it out or set it to true.", "true");
        return tools is { Length: > 0 } && choice != "none" ? new JsonArray([.. tools.Select(t => (JsonNode)t)]) : null;
    }

    private static string Choice(RequestFields fields)
    {
        const string Right = "A call cannot be enforced: supported values are: 'none' and 'auto'.";
        return fields.Any("tool_choice") switch
        {
            null => "auto",
            JsonObject => throw ApiException.UnsupportedValue("tool_choice", "a named tool", Right),
            var node when node.GetValueKind() == JsonValueKind.String => node.GetValue<string>() switch
            {
                "none" => "none",
                "auto" => "auto",
                var other => throw ApiException.UnsupportedValue("tool_choice", $"'{ApiException.Shown(other)}'", Right),
            },
            var node => throw fields.WrongType("tool_choice", "a string or an object", node),
        };
    }

    private static JsonObject Tool(JsonNode? node, string path)
    {
        var tool = new RequestFields(node as JsonObject ?? throw RequestFields.WrongTypeAt(path, "an object", node), path);
        if (tool.RequireText("type") is not "function" and var type)
        {
            throw ApiException.UnsupportedValue(tool.NameOf("type"), $"'{ApiException.Shown(type)}'", "Supported values are: 'function'.");
        }

        var function = tool.Object("function") ?? throw ApiException.Missing(tool.NameOf("function"));
        var name = function.RequireText("name");
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw ApiException.InvalidValue(function.NameOf("name"), $"expected 1 to {LongestName} letters, digits, underscores and dashes.");
        }

        var result = new JsonObject { ["name"] = name };
        if (function.Text("description") is { } description)
        {
            result["description"] = description;
        }

        result["parameters"] = function.Object("parameters") is null ? new JsonObject { ["type"] = "object", ["properties"] = new JsonObject() } : function.Any("parameters")!.DeepClone();
        function.Refuse("strict", "is not supported with this model: a schema cannot be enforced; leave it out or set it to false.", "false");
        function.RequireNoOthers();
        tool.RequireNoOthers();
        return new JsonObject { ["type"] = "function", ["function"] = result };
    }
}
