using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Alpaca: <c>{"instruction","input"?,"output","system"?,"history"?:[[question,answer]…]}</c>. Instruction and input are joined
/// by a line break into one user message; answers of the history are learned like every other.
/// </summary>
internal static class InstructionFormat
{
    public static Example Read(DatasetRecord record)
    {
        var conversation = new Conversation(record);
        if (record.OptionalString(record.Json, "system") is { Length: > 0 } system)
        {
            conversation.Add("system", system, "system");
        }

        foreach (var (role, text, field) in Turns(record))
        {
            conversation.Add(role, text, field);
        }

        conversation.Add("assistant", record.RequireString(record.Json, "output"), "output");
        return conversation.ToExample();
    }

    /// <summary>The history and the question, each with the field that it comes from.</summary>
    public static IEnumerable<(string Role, string Text, string Field)> Turns(DatasetRecord record)
    {
        var history = record.Json["history"] is { } node ? record.AsArray(node, "history") : new JsonArray();
        for (var i = 0; i < history.Count; i++)
        {
            var turn = record.AsArray(history[i], $"history[{i}]");
            if (turn.Count != 2)
            {
                throw record.Error("wrong_type", $"field 'history[{i}]' has {turn.Count} entries; a question and an answer are needed");
            }

            yield return ("user", record.AsString(turn[0], $"history[{i}][0]"), $"history[{i}][0]");
            yield return ("assistant", record.AsString(turn[1], $"history[{i}][1]"), $"history[{i}][1]");
        }

        var instruction = record.RequireString(record.Json, "instruction");
        var input = record.OptionalString(record.Json, "input");
        yield return ("user", string.IsNullOrEmpty(input) ? instruction : instruction.Length == 0 ? input : $"{instruction}\n{input}", "instruction");
    }
}
