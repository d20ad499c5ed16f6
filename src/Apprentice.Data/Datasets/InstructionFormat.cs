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

        var history = record.Json["history"] is { } node ? record.AsArray(node, "history") : new JsonArray();
        for (var i = 0; i < history.Count; i++)
        {
            var turn = record.AsArray(history[i], $"history[{i}]");
            if (turn.Count != 2)
            {
                throw record.Error("wrong_type", $"field 'history[{i}]' has {turn.Count} entries; a question and an answer are needed");
            }

            conversation.Add("user", record.AsString(turn[0], $"history[{i}][0]"), $"history[{i}][0]");
            conversation.Add("assistant", record.AsString(turn[1], $"history[{i}][1]"), $"history[{i}][1]");
        }

        var instruction = record.RequireString(record.Json, "instruction");
        var input = record.OptionalString(record.Json, "input");
        conversation.Add("user", string.IsNullOrEmpty(input) ? instruction : instruction.Length == 0 ? input : $"{instruction}\n{input}", "instruction");
        conversation.Add("assistant", record.RequireString(record.Json, "output"), "output");
        return conversation.ToExample();
    }
}
