using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// One conversation in a JSON file of its own, on as many lines as it likes: an object as in the chat format
/// (<c>{"messages":[…],"tools":[…]}</c>) or the messages alone (<c>[…]</c>).
/// </summary>
public static class ConversationFile
{
    /// <summary>Reads it. A conversation that ends in an answer is an example; one that does not is a prompt.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isPrompt">Whether it awaits an answer; then what the model reads is <see cref="Example.Prompt"/>.</param>
    /// <exception cref="InputException">It is not there or no conversation.</exception>
    public static Example Read(string path, out bool isPrompt)
    {
        if (!File.Exists(path))
        {
            throw MissingFile.Error(path);
        }

        if (new FileInfo(path).Length > DatasetReader.MaximumRecordLength)
        {
            throw new InputException("too_large", $"a conversation has at most {DatasetReader.MaximumRecordLength >> 20} MiB", path);
        }

        var utf8 = File.ReadAllBytes(path).AsSpan();
        utf8 = utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;
        var json = StrictJson.Parse(utf8, out var problem);
        if (problem is not null)
        {
            throw new InputException(problem.Code, problem.Message, path, utf8[..problem.Offset].Count((byte)'\n') + 1);
        }

        if ((json as JsonObject ?? new JsonObject { ["messages"] = json }) is not { } record || record["messages"] is not JsonArray { Count: > 0 } messages)
        {
            throw new InputException("no_messages", "the file must hold {\"messages\":[…]} or the messages alone, [{\"role\":…,\"content\":…},…]", path);
        }

        isPrompt = (messages[^1] as JsonObject)?["role"] is not JsonValue role || !role.TryGetValue(out string? name) || name != "assistant";
        if (isPrompt)
        {
            messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = "the answer to come" });
        }

        return ChatFormat.Read(new DatasetRecord(record, path, 1));
    }
}
