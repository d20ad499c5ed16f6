using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Cuts a CSV file (RFC 4180) into rows of cells. A quote within a cell that does not begin with one stands for itself. Files may be
/// hostile: cells, rows and the delimiters of a line are limited.
/// </summary>
internal static class CsvRows
{
    public const int MaximumRows = 5_000_000;

    /// <summary>On one line of the file; each costs the parser some tens of bytes.</summary>
    private const int MaximumDelimiters = 1 << 20;

    private const string Quoting = "a cell that holds the delimiter, a quote or a line break stands between quotes, and each quote within it is doubled";

    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\r\n");

    /// <summary>The cells of each row that is not blank, the line on which it begins, and its length in bytes.</summary>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="bytes">UTF-8, with or without byte order mark, that <see cref="RequireFewDelimiters"/> has let pass.</param>
    /// <param name="delimiter">An ASCII character.</param>
    /// <exception cref="InputException">A row is not sound; the message names its line.</exception>
    public static IEnumerable<(string[] Cells, long Line, long Length)> Read(string file, ReadOnlyMemory<byte> bytes, char delimiter)
    {
        var start = bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        using var text = new StreamReader(Open(bytes[start..]), new UTF8Encoding(false));
        using var parser = new CsvParser(text, Configuration(delimiter));
        for (var rows = 0; ReadRow(parser, file) is { } row; rows++)
        {
            yield return rows <= MaximumRows ? row : throw new InputException("too_large", $"the table has more than {MaximumRows} rows", file, row.Line, "give it as several files");
        }
    }

    /// <summary>The error of a row that has not the columns of the header.</summary>
    public static InputException Mismatch(string file, long line, int cells, int columns) => new(
        "bad_csv", $"line {line}: this row has {Many(cells, "cell")}, and the header has {Many(columns, "column")}", file, line, Quoting);

    private static (string[] Cells, long Line, long Length)? ReadRow(CsvParser parser, string file)
    {
        var line = parser.RawRow + 1L;
        try
        {
            if (!parser.Read())
            {
                return null;
            }

            // A row may spread over lines, and blank ones may stand before it; the parser knows the last.
            line = parser.RawRow - CountLineEnds(parser.RawRecord.AsSpan().TrimEnd("\r\n"));
            return (parser.Record ?? [], line, Encoding.UTF8.GetByteCount(parser.RawRecord));
        }
        catch (MaxFieldSizeException)
        {
            throw new InputException("too_large", $"line {line}: a cell has more than {DatasetReader.MaximumRecordLength} characters", file, line, Quoting);
        }
        catch (BadDataException e)
        {
            line -= CountLineEnds(e.Field.AsSpan(e.Field.TrimEnd('\r', '\n').Length)); // a quote left open takes in the file's last line ends
            throw new InputException("bad_csv", $"line {line}: a cell begins with a quote and does not end with one", file, line, Quoting);
        }
    }

    private static CsvConfiguration Configuration(char delimiter) => new(CultureInfo.InvariantCulture)
    {
        Delimiter = delimiter.ToString(),
        IgnoreBlankLines = true,
        MaxFieldSize = DatasetReader.MaximumRecordLength,
        BadDataFound = bad =>
        {
            if (bad.Field.StartsWith('"'))
            {
                throw new BadDataException(bad.Field, bad.RawRecord, bad.Context);
            }
        },
    };

    /// <exception cref="InputException">A line has more delimiters than the parser is to hold; the message names it.</exception>
    public static void RequireFewDelimiters(string file, ReadOnlySpan<byte> bytes, byte delimiter)
    {
        for (var line = 1L; !bytes.IsEmpty; line++)
        {
            var length = bytes.IndexOfAny((byte)'\r', (byte)'\n');
            length = length < 0 ? bytes.Length : length;
            if (length > MaximumDelimiters && bytes[..length].Count(delimiter) > MaximumDelimiters)
            {
                throw new InputException("too_large", $"there are more than {MaximumDelimiters} cells on one line", file, line);
            }

            bytes = bytes[length..];
            bytes = bytes[RecordSplitter.NewLine(bytes)..];
        }
    }

    private static MemoryStream Open(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var array) ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false) : new MemoryStream(bytes.ToArray());

    private static long CountLineEnds(ReadOnlySpan<char> text)
    {
        var count = 0L;
        for (int at; (at = text.IndexOfAny(LineEnds)) >= 0; count++)
        {
            text = text[(at + (text[at..].StartsWith("\r\n") ? 2 : 1))..];
        }

        return count;
    }

    private static string Many(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
