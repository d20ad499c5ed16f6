using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>OpenAI's fine-tuning format: <c>{"messages":[{"role","content","weight"?,"tool_calls"?…}],"tools"?:[…]}</c>.</summary>
internal static class ChatFormat
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool", "function"];

    public static Example Read(DatasetRecord record)
    {
        var conversation = new Conversation(record);
        var messages = record.RequireArray(record.Json, "messages");
        for (var i = 0; i < messages.Count; i++)
        {
            AddMessage(conversation, record, record.AsObject(messages[i], $"messages[{i}]"), $"messages[{i}].");
        }

        return conversation.ToExample(record.Json["tools"] is { } tools ? record.AsArray(tools, "tools") : null);
    }

    /// <param name="path">Leads to the message, such as "messages[2].".</param>
    /// <param name="learned">Whether the assistant's messages are, but for those of weight 0; else none is, whatever its weight.</param>
    public static void AddMessage(Conversation conversation, DatasetRecord record, JsonObject message, string path, bool learned = true)
    {
        var role = record.RequireString(message, "role", path);
        if (!Roles.Contains(role, StringComparer.Ordinal))
        {
            throw record.Error("unknown_role", $"field '{path}role' is '{Shorten(role)}'; one of {string.Join(", ", Roles)} is needed");
        }

        var own = Weight(record, message, role, path); // checks it and takes it off
        var weight = learned ? own : 0;
        if (message["content"] is JsonArray parts)
        {
            message["content"] = JoinParts(record, parts, path);
        }

        if (message["tool_calls"] is { } calls)
        {
            ToolCalls.Normalise(record, record.AsArray(calls, path + "tool_calls"), path + "tool_calls");
            record.OptionalString(message, "content", path);
        }
        else
        {
            var content = record.RequireString(message, "content", path);
            if (weight > 0)
            {
                conversation.RequireText(content, path + "content");
            }
        }

        conversation.Add(message, learned: weight > 0);
    }

    /// <summary>The weight is ours to keep: it is no business of the chat template.</summary>
    private static int Weight(DatasetRecord record, JsonObject message, string role, string path)
    {
        var given = message["weight"];
        message.Remove("weight");
        if (given is null)
        {
            return role == "assistant" ? 1 : 0;
        }

        var weight = given is JsonValue value && value.TryGetValue(out double number) && number is 0 or 1
            ? (given as JsonValue)!.GetValue<double>()
            : throw record.Error("bad_weight", $"field '{path}weight' is {Shorten(given.ToJsonString())}; 0 or 1 is needed");
        return role == "assistant" || weight == 0
            ? (int)weight
            : throw record.Error("bad_weight", $"field '{path}weight' is 1 on a message of '{role}'; only assistant messages are learned");
    }

    private static string JoinParts(DatasetRecord record, JsonArray parts, string path)
    {
        var texts = new List<string>();
        for (var i = 0; i < parts.Count; i++)
        {
            var field = $"{path}content[{i}]";
            var part = record.AsObject(parts[i], field);
            var type = record.RequireString(part, "type", field + ".");
            texts.Add(type == "text"
                ? record.RequireString(part, "text", field + ".")
                : throw record.Error("unsupported_content", $"field '{field}.type' is '{Shorten(type)}'; only text is trained on yet"));
        }

        return string.Concat(texts);
    }

    private static string Shorten(string text) => text.Length > 40 ? text[..40] + "…" : text;
}
