using System.Text;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Apprentice.Data.Datasets;

/// <summary>
/// A table as spreadsheets write it, with the delimiter that its header shows: the first row names the columns, each further row is a
/// record whose fields are text. Rows of empty cells are skipped.
/// </summary>
internal sealed class CsvTable
{
    public const int MaximumColumns = 1000;

    private const int LongestHeader = 200;

    private static readonly (char Character, string Name)[] Delimiters = [(',', "commas"), (';', "semicolons"), ('\t', "tabs"), ('|', "bars")];

    private readonly string _file;
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly (char Character, string Name) _delimiter;

    private CsvTable(string file, ReadOnlyMemory<byte> bytes, (char Character, string Name) delimiter)
    {
        (_file, _bytes, _delimiter) = (file, bytes, delimiter);
        CsvRows.RequireFewDelimiters(file, bytes.Span, (byte)delimiter.Character);
        var header = CsvRows.Read(file, bytes, delimiter.Character).FirstOrDefault();
        Columns = CheckHeader(header.Cells ?? [], header.Line);
    }

    /// <summary>The names in the first row; a column without a name is not read.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>As a sentence says it.</summary>
    public string Description
    {
        get
        {
            var names = string.Join(", ", Columns);
            var shown = names.Length is > 0 and <= LongestHeader && !names.Any(char.IsControl) ? $" ({names})" : "";
            return $"a CSV table{(Columns.Count > 1 ? $" with {_delimiter.Name} between its columns" : "")}{shown}";
        }
    }

    /// <summary>What to do where its columns do not show which is the input and which the answer.</summary>
    public string Hint => Columns is [_, _, ..]
        ? $"name the columns' roles: --columns prompt={Column("prompt", 0)},completion={Column("completion", 1)}"
        : $"the first row names the columns, such as prompt{_delimiter.Character}completion";

    /// <summary>The table that a file holds by its name, or by a delimiter in both its first lines where these are no JSON; else null.</summary>
    /// <exception cref="InputException">It is not UTF-8, or its header is not sound.</exception>
    public static CsvTable? Find(string file, ReadOnlyMemory<byte> bytes)
    {
        var named = Path.GetExtension(file).ToLowerInvariant() is ".csv" or ".tsv" or ".tab";
        var lines = Encoding.UTF8.GetString(bytes.Span[..Math.Min(bytes.Length, 1 << 14)]).TrimStart('\uFEFF')
            .Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(l => !string.IsNullOrWhiteSpace(l)).Take(2).ToArray();
        if (lines.Length == 0 || (!named && (lines.Length < 2 || lines.Any(l => l.TrimStart()[0] is '{' or '['))))
        {
            return null;
        }

        // Of the delimiters between the header's names the most frequent; where none is there, the table has one column.
        var most = Delimiters.Where(d => named || lines.All(l => Count(l, d.Character) > 0)).DefaultIfEmpty().MaxBy(d => Count(lines[0], d.Character));
        if (most.Name is null)
        {
            return null;
        }

        RequireUtf8(file, bytes.Span);
        return new CsvTable(file, bytes, most);
    }

    /// <summary>The rows below the header as records.</summary>
    /// <exception cref="InputException">A row is not sound; the message says which.</exception>
    public IEnumerable<DatasetRecord> Records()
    {
        foreach (var (cells, line, length) in CsvRows.Read(_file, _bytes, _delimiter.Character).Skip(1).Where(row => row.Cells.Any(c => c.Length > 0)))
        {
            if (cells.Length != Columns.Count)
            {
                throw CsvRows.Mismatch(_file, line, cells.Length, Columns.Count);
            }

            var record = new JsonObject();
            for (var i = 0; i < cells.Length; i++)
            {
                if (Columns[i].Length > 0)
                {
                    record[Columns[i]] = cells[i];
                }
            }

            yield return new DatasetRecord(record, _file, line) { Table = this, Length = length };
        }
    }

    private string[] CheckHeader(string[] cells, long line)
    {
        string[] names = [.. cells.Select(c => c.Trim())];
        if (names.Length > MaximumColumns)
        {
            throw new InputException("too_large", $"the table has {names.Length} columns; at most {MaximumColumns} are read", _file, line);
        }

        return names.Where(n => n.Length > 0).GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any()) is { Key: var twice }
            ? throw new InputException("duplicate_key", $"line {line}: two columns are called '{(twice.Length > 40 ? twice[..40] + "…" : twice)}'", _file, line, "the first row names the columns, each by a name of its own")
            : names;
    }

    /// <summary>The column of the role's own name, in whatever case, or else the one at that place.</summary>
    private string Column(string role, int place)
    {
        var name = Columns.FirstOrDefault(c => c.Equals(role, StringComparison.OrdinalIgnoreCase)) ?? Columns.Where(c => c.Length > 0).ElementAtOrDefault(place);
        return name is not { Length: <= 40 } || name.Any(char.IsControl) ? "COLUMN"
            : name.Contains(' ', StringComparison.Ordinal) ? $"\"{name}\""
            : name;
    }

    /// <summary>How often a character stands outside of quotes, which begin a cell or stand within one that does.</summary>
    private static int Count(string line, char delimiter)
    {
        var (count, quoted) = (0, false);
        for (var i = 0; i < line.Length; i++)
        {
            quoted ^= line[i] == '"' && (quoted || i == 0 || line[i - 1] == delimiter || line[i - 1] == '"');
            count += line[i] == delimiter && !quoted ? 1 : 0;
        }

        return count;
    }

    private static void RequireUtf8(string file, ReadOnlySpan<byte> bytes)
    {
        RecordSplitter.RefuseUtf16(file, bytes);
        if (!Utf8.IsValid(bytes) && StrictJson.Check(bytes) is { } problem)
        {
            var (line, _) = RecordSplitter.Position(bytes, problem.Offset);
            throw new InputException("invalid_utf8", $"line {line}: the text is not UTF-8", file, line, "save the table as CSV UTF-8");
        }
    }
}
