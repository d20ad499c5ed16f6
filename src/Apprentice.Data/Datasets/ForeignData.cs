namespace Apprentice.Data.Datasets;

/// <summary>Refuses, by what it is, a file that holds no text: an archive, a page, a model.</summary>
internal static class ForeignData
{
    /// <summary>A line as it should be, for hints.</summary>
    public const string OneLine = """{"prompt": "my card is lost", "completion": "lost_card"}""";

    /// <exception cref="InputException">Code <c>unknown_format</c>.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> content)
    {
        if (FileKind.Of(content) is { } kind)
        {
            throw new InputException("unknown_format", $"this is {kind.Name}; a file of examples is needed", path, hint: kind.Remedy ?? $"examples are lines of JSON, such as {OneLine}, or a CSV table");
        }
    }
}
