using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// ShareGPT: <c>{"conversations":[{"from":"human"|"gpt"|…,"value"}],"system"?,"tools"?}</c>; <c>tools</c> may be a string of JSON,
/// and <c>function_call</c> and <c>observation</c> are the tool call and the tool's answer (as LLaMA-Factory writes them).
/// </summary>
internal static class ShareGptFormat
{
    public static Example Read(DatasetRecord record)
    {
        var conversation = new Conversation(record);
        if (record.OptionalString(record.Json, "system") is { Length: > 0 } system)
        {
            conversation.Add("system", system, "system");
        }

        var turns = record.RequireArray(record.Json, "conversations");
        for (var i = 0; i < turns.Count; i++)
        {
            AddTurn(conversation, record, record.AsObject(turns[i], $"conversations[{i}]"), $"conversations[{i}].");
        }

        return conversation.ToExample(Tools(record));
    }

    private static void AddTurn(Conversation conversation, DatasetRecord record, JsonObject turn, string path)
    {
        var from = record.RequireString(turn, "from", path);
        var value = record.RequireString(turn, "value", path);
        if (from == "function_call")
        {
            var parsed = ToolCalls.Parse(record, value, path + "value");
            var calls = new JsonArray();
            foreach (var call in parsed is JsonArray several ? several.ToArray() : [parsed])
            {
                calls.Add(new JsonObject { ["type"] = "function", ["function"] = record.AsObject(call, path + "value").DeepClone() });
            }

            ToolCalls.Normalise(record, calls, path + "value");
            conversation.Add(new JsonObject { ["role"] = "assistant", ["content"] = "", ["tool_calls"] = calls }, learned: true);
            return;
        }

        conversation.Add(RoleOf(record, turn, path), value, path + "value");
    }

    /// <summary>Who speaks in a turn, under the name that chat templates have for it.</summary>
    public static string RoleOf(DatasetRecord record, JsonObject turn, string path) => record.RequireString(turn, "from", path) switch
    {
        "human" or "user" => "user",
        "gpt" or "assistant" or "model" or "chatgpt" or "bing" or "bard" => "assistant",
        "system" => "system",
        "observation" or "tool" or "function_response" => "tool",
        var from => throw record.Error("unknown_role", $"field '{path}from' is '{(from.Length > 40 ? from[..40] + "…" : from)}'; one of human, gpt, system, function_call, observation is needed"),
    };

    private static JsonArray? Tools(DatasetRecord record) => record.Json["tools"] switch
    {
        null => null,
        JsonValue text when record.AsString(text, "tools") is var json => string.IsNullOrWhiteSpace(json) ? null : record.AsArray(ToolCalls.Parse(record, json, "tools"), "tools"),
        var tools => record.AsArray(tools, "tools"),
    };
}
