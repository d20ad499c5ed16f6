using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>Builds the messages of one example and, at the end, sees to it that there is something to learn in them.</summary>
internal sealed class Conversation(DatasetRecord record)
{
    private readonly List<JsonObject> _messages = [];
    private readonly List<float> _weights = [];

    /// <summary>Adds a message of text only.</summary>
    public void Add(string role, string content, string field)
    {
        if (role == "assistant")
        {
            RequireText(content, field);
        }

        Add(new JsonObject { ["role"] = role, ["content"] = content }, learned: role == "assistant");
    }

    public void Add(JsonObject message, bool learned)
    {
        _messages.Add(message);
        _weights.Add(learned ? 1 : 0);
    }

    public void RequireText(string content, string field)
    {
        if (string.IsNullOrWhiteSpace(content))
        {
            throw record.Error("empty_completion", $"field '{field}' is empty; the model would learn to say nothing");
        }
    }

    public Example ToExample(JsonArray? tools = null, (string, string)? raw = null)
    {
        var roles = _messages.ConvertAll(message => (string?)message["role"]);
        if (!roles.Contains("assistant"))
        {
            throw record.Error("no_assistant_message", "the conversation has no assistant message, so there is nothing to learn");
        }

        if (roles[^1] != "assistant")
        {
            throw record.Error("not_ending_in_assistant", $"the conversation ends in a message of '{roles[^1]}'; the last message must be the assistant's");
        }

        if (_weights.TrueForAll(weight => weight == 0))
        {
            throw record.Error("nothing_supervised", "every assistant message has weight 0, so there is nothing to learn");
        }

        return new Example { File = record.File, Line = record.Line, Messages = _messages, Weights = _weights, Tools = tools, Raw = raw };
    }
}
