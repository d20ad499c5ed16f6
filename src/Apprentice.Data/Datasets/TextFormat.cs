namespace Apprentice.Data.Datasets;

/// <summary><c>{"text"}</c>: plain text without roles.</summary>
internal static class TextFormat
{
    public static Example Read(DatasetRecord record)
    {
        var text = record.RequireString(record.Json, "text");
        return string.IsNullOrWhiteSpace(text)
            ? throw record.Error("empty_completion", "field 'text' is empty; there is nothing to learn")
            : new Example { File = record.File, Line = record.Line, Text = text };
    }
}
