namespace Apprentice.Data.Datasets;

/// <summary><c>{"prompt","completion"}</c>: one user message and its answer; the strings are also kept for training without a template.</summary>
internal static class PromptCompletionFormat
{
    public static Example Read(DatasetRecord record)
    {
        var prompt = record.RequireString(record.Json, "prompt");
        var completion = record.RequireString(record.Json, "completion");
        var conversation = new Conversation(record);
        conversation.Add("user", prompt, "prompt");
        conversation.Add("assistant", completion, "completion");
        return conversation.ToExample(raw: (prompt, completion));
    }
}
