using System.Text;

namespace Apprentice.Data.Datasets;

/// <summary>Refuses, by what it is, a file that holds no JSON: a table as spreadsheets write it, an archive, a page, a model.</summary>
internal static class ForeignData
{
    /// <summary>A line as it should be, for hints.</summary>
    public const string OneLine = """{"prompt": "my card is lost", "completion": "lost_card"}""";

    private const int LongestHeader = 200;

    private static readonly (char Character, string Name)[] Separators = [(';', "semicolons"), (',', "commas"), ('\t', "tabs")];

    /// <exception cref="InputException">Code <c>csv_not_read</c> or <c>unknown_format</c>.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> content)
    {
        if (FileKind.Of(content) is { } kind)
        {
            throw new InputException("unknown_format", $"this is {kind.Name}; a file of examples is needed", path, hint: kind.Remedy ?? $"examples are lines of JSON, such as {OneLine}");
        }

        if (TableOf(path, content) is { } table)
        {
            throw new InputException("csv_not_read", $"this is a {table}, which is not read yet: write each row as a line of JSON", path, hint: $"such as {OneLine}, in a file that ends in .jsonl");
        }
    }

    /// <summary>What kind of table it is, or null where it is none.</summary>
    private static string? TableOf(string path, ReadOnlySpan<byte> content)
    {
        var named = Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".tsv";
        var lines = Encoding.UTF8.GetString(content[..Math.Min(content.Length, 1 << 14)]).TrimStart('\uFEFF')
            .Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(l => !string.IsNullOrWhiteSpace(l)).Take(2).ToArray();
        if (lines.Length == 0 || (!named && (lines.Length < 2 || lines[0].TrimStart()[0] is '{' or '[')))
        {
            return null;
        }

        // A separator stands in the header and in the row below it; a name that says CSV is believed without.
        var separator = Separators.Where(s => lines.All(l => l.Contains(s.Character, StringComparison.Ordinal)))
            .OrderByDescending(s => lines[0].Count(c => c == s.Character)).FirstOrDefault();
        return separator.Name is { } name ? $"CSV table with {name} between its columns{Columns(lines[0], separator.Character)}"
            : named ? "CSV table"
            : null;
    }

    private static string Columns(string header, char separator)
    {
        var names = string.Join(", ", header.Split(separator).Select(n => n.Trim().Trim('"')));
        return names.Length <= LongestHeader && !names.Any(char.IsControl) ? $" ({names})" : "";
    }
}
