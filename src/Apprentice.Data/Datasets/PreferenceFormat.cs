using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Preference data: OpenAI's <c>{"input":{"messages","tools"?},"preferred_output":[…],"non_preferred_output":[…]}</c>, and TRL's
/// <c>{"prompt","chosen","rejected"}</c>, where each is a text or a list of messages, <c>prompt</c> may be called <c>messages</c> or
/// <c>conversations</c>, and answers may repeat it or bring it along (<c>prompt</c> is then what both begin with).
/// </summary>
internal static class PreferenceFormat
{
    public static Preference Read(DatasetRecord record)
    {
        var openAi = DatasetFormats.IsOpenAiPreference(record.Json.ContainsKey);
        var (chosenField, rejectedField) = openAi ? ("preferred_output", "non_preferred_output") : ("chosen", "rejected");
        var (source, tools) = (record.Json, record.Json["tools"]);
        var prompt = new List<JsonObject>();
        var system = record.OptionalString(record.Json, "system");
        if (openAi)
        {
            source = record.AsObject(record.Json["input"], "input");
            tools = source["tools"];
            prompt = Turns(record, record.RequireArray(source, "messages", "input."), "input.messages", "user");
        }
        else if (new[] { "prompt", "messages", "conversations" }.FirstOrDefault(record.Json.ContainsKey) is { } field)
        {
            prompt = Turns(record, record.Json[field], field, "user");
        }
        else if (record.Json.ContainsKey("instruction"))
        {
            prompt = [.. InstructionFormat.Turns(record).Select(turn => Message(turn.Role, turn.Text))];
        }

        if (!string.IsNullOrEmpty(system) && (prompt.Count == 0 || (string?)prompt[0]["role"] != "system"))
        {
            prompt.Insert(0, Message("system", system));
        }

        var chosen = Answer(record, chosenField, prompt);
        var rejected = Answer(record, rejectedField, prompt);
        if (prompt.Count == 0)
        {
            // The last message of an answer is the answer, even where both say the same.
            var common = chosen.Zip(rejected).Take(Math.Min(chosen.Count, rejected.Count) - 1).TakeWhile(pair => JsonNode.DeepEquals(pair.First, pair.Second)).Count();
            prompt = chosen[..common];
            chosen = chosen[common..];
            rejected = rejected[common..];
        }

        return prompt.Count > 0
            ? new Preference(ToExample(chosen, chosenField), ToExample(rejected, rejectedField), prompt.Count)
            : throw record.Error("no_prompt", $"there is nothing that both answers answer: field 'prompt' is missing, and '{chosenField}' and '{rejectedField}' do not begin alike");

        Example ToExample(List<JsonObject> answer, string field)
        {
            var conversation = new Conversation(record);
            foreach (var (message, i) in prompt.Select((m, i) => (m, i)))
            {
                ChatFormat.AddMessage(conversation, record, message.DeepClone().AsObject(), $"prompt[{i}].", learned: false);
            }

            foreach (var (message, i) in answer.Select((m, i) => (m, i)))
            {
                ChatFormat.AddMessage(conversation, record, message.DeepClone().AsObject(), $"{field}[{i}].");
            }

            return conversation.ToExample(tools is null ? null : record.AsArray(tools, "tools").DeepClone().AsArray(), Raw(record, field));
        }
    }

    /// <summary>The messages of an answer, without the prompt where it repeats it.</summary>
    private static List<JsonObject> Answer(DatasetRecord record, string field, List<JsonObject> prompt)
    {
        var turns = record.Json.TryGetPropertyValue(field, out var node)
            ? Turns(record, node, field, "assistant")
            : throw record.Error("missing_field", $"field '{field}' is missing; preference data has a preferred and another answer");
        var repeats = prompt.Count > 0 && turns.Count > prompt.Count && prompt.Zip(turns).All(pair => JsonNode.DeepEquals(pair.First, pair.Second));
        return repeats ? turns[prompt.Count..] : turns;
    }

    /// <summary>A text, a turn or a list of turns; those of ShareGPT (<c>from</c>, <c>value</c>) become messages.</summary>
    private static List<JsonObject> Turns(DatasetRecord record, JsonNode? node, string field, string role) => node switch
    {
        JsonArray list => [.. list.Select((turn, i) => Turn(record, record.AsObject(turn, $"{field}[{i}]"), $"{field}[{i}]."))],
        JsonObject turn => [Turn(record, turn, $"{field}.")],
        JsonValue value when value.TryGetValue(out string? text) => [Message(role, text)],
        _ => throw record.WrongType(field, node, "a text or a list of messages"),
    };

    private static JsonObject Turn(DatasetRecord record, JsonObject turn, string path) => turn.ContainsKey("from")
        ? Message(ShareGptFormat.RoleOf(record, turn, path), record.RequireString(turn, "value", path))
        : turn;

    /// <summary>Three texts can be trained on without a chat template.</summary>
    private static (string, string)? Raw(DatasetRecord record, string field) =>
        record.Json["prompt"] is JsonValue prompt && prompt.TryGetValue(out string? question) && record.Json[field] is JsonValue answer && answer.TryGetValue(out string? text)
            ? (question, text)
            : null;

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
