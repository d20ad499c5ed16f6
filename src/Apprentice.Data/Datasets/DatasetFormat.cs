using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>How the records of a dataset file are laid out.</summary>
public enum DatasetFormat
{
    /// <summary><c>{"messages":[{"role","content"}…],"tools":[…]}</c>, <c>weight</c> 0|1 on assistant messages (OpenAI fine-tuning).</summary>
    Chat,

    /// <summary><c>{"prompt","completion"}</c>, two strings.</summary>
    PromptCompletion,

    /// <summary><c>{"instruction","input","output"}</c> (Alpaca), optionally <c>system</c> and <c>history</c>.</summary>
    Instruction,

    /// <summary><c>{"conversations":[{"from","value"}…]}</c>, optionally <c>system</c> and <c>tools</c>.</summary>
    ShareGpt,

    /// <summary><c>{"text"}</c>: every token is learned.</summary>
    Text,

    /// <summary><c>{"prompt","chosen","rejected"}</c> or OpenAI's <c>{"input","preferred_output","non_preferred_output"}</c>; as
    /// examples the preferred answers alone.</summary>
    Preference,
}

/// <summary>Recognises a record's format by its field names and names formats for people.</summary>
public static class DatasetFormats
{
    /// <summary>The formats that are read, in one line each.</summary>
    public const string Known =
        "chat {\"messages\"}, prompt/completion {\"prompt\",\"completion\"}, instruction {\"instruction\",\"input\",\"output\"}, " +
        "ShareGPT {\"conversations\"}, plain text {\"text\"}, preference {\"prompt\",\"chosen\",\"rejected\"}; or a CSV table with such columns";

    /// <summary>One answer with a judgement, which has no better or worse one beside it.</summary>
    internal const string Judged = "a true/false label for each answer, as KTO uses";

    public static string Describe(this DatasetFormat format) => format switch
    {
        DatasetFormat.Chat => "OpenAI chat (messages)",
        DatasetFormat.PromptCompletion => "prompt/completion",
        DatasetFormat.Instruction => "instruction (instruction, input, output)",
        DatasetFormat.ShareGpt => "ShareGPT (conversations)",
        DatasetFormat.Text => "plain text",
        DatasetFormat.Preference => "preference (the preferred answers)",
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>The format that the field names show, or null where none does. Some sets carry two, such as <c>messages</c>
    /// beside the <c>prompt</c> they came from: the richer one comes first here.</summary>
    internal static DatasetFormat? Recognise(Func<string, bool> has) =>
        IsPreference(has) ? DatasetFormat.Preference
        : has("messages") ? DatasetFormat.Chat
        : has("conversations") ? DatasetFormat.ShareGpt
        : has("prompt") || has("completion") ? DatasetFormat.PromptCompletion
        : has("instruction") ? DatasetFormat.Instruction
        : has("text") ? DatasetFormat.Text
        : null;

    /// <summary>Preference data looks like the other formats with fields to spare; trained on as if it were one of them,
    /// it would teach the rejected answers too. Null where the record is not preference data, else its description.</summary>
    internal static string? DescribePreference(JsonObject record) =>
        IsOpenAiPreference(record.ContainsKey) ? "preferred_output and non_preferred_output"
        : IsPreference(record.ContainsKey) ? "chosen and rejected"
        : record["label"]?.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False ? Judged
        : null;

    /// <summary>OpenAI's field names.</summary>
    internal static bool IsOpenAiPreference(Func<string, bool> has) => has("preferred_output") || has("non_preferred_output");

    private static bool IsPreference(Func<string, bool> has) => IsOpenAiPreference(has) || has("chosen") || has("rejected");
}
