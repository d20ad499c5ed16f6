using System.Text;
using System.Text.Json;

namespace Apprentice.Data.Datasets;

/// <summary>The bytes of one record and the one-based line on which they begin.</summary>
internal readonly record struct RawRecord(ReadOnlyMemory<byte> Json, long Line);

/// <summary>Cuts a file into records: the lines of JSONL, or the elements of a JSON array. Does not look into them.</summary>
internal static class RecordSplitter
{
    /// <summary>The records of a file, which is JSONL unless its first character is '['.</summary>
    public static IEnumerable<RawRecord> Split(string file, ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        RefuseUtf16(file, span);
        var start = span.StartsWith<byte>([0xEF, 0xBB, 0xBF]) ? 3 : 0;
        var first = span[start..].IndexOfAnyExcept(" \t\r\n"u8);
        return first >= 0 && span[start + first] == '[' ? Elements(file, bytes[start..]) : Lines(bytes[start..]);
    }

    public static void RefuseUtf16(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith<byte>([0xFF, 0xFE]) || bytes.StartsWith<byte>([0xFE, 0xFF]))
        {
            throw new InputException("invalid_utf8", "the file is UTF-16; UTF-8 is needed", file, 1, "save it again as UTF-8");
        }
    }

    /// <summary>Lines may end in \n, \r\n or \r; blank ones are skipped, but counted.</summary>
    private static IEnumerable<RawRecord> Lines(ReadOnlyMemory<byte> bytes)
    {
        var line = 0L;
        while (!bytes.IsEmpty)
        {
            line++;
            var length = bytes.Span.IndexOfAny((byte)'\n', (byte)'\r');
            var text = length < 0 ? bytes : bytes[..length];
            if (text.Span.ContainsAnyExcept(" \t"u8))
            {
                yield return new RawRecord(text, line);
            }

            bytes = bytes[text.Length..];
            bytes = bytes[NewLine(bytes.Span)..];
        }
    }

    private static IEnumerable<RawRecord> Elements(string file, ReadOnlyMemory<byte> bytes)
    {
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = int.MaxValue });
        var (offset, counted, line) = (0, 0, 1L);
        while (Element(file, bytes.Span, ref offset, ref state, out var start))
        {
            line += CountLines(bytes.Span[counted..start]);
            counted = start;
            yield return new RawRecord(bytes[start..offset], line);
        }
    }

    /// <summary>Reads on to the end of the next element of the root array; false at its end.</summary>
    private static bool Element(string file, ReadOnlySpan<byte> bytes, ref int offset, ref JsonReaderState state, out int start)
    {
        var reader = new Utf8JsonReader(bytes[offset..], isFinalBlock: true, state);
        start = 0;
        try
        {
            var more = reader.Read();
            if (reader.CurrentDepth == 0 && reader.TokenType == JsonTokenType.StartArray)
            {
                more = reader.Read();
            }

            if (!more || reader is { CurrentDepth: 0, TokenType: JsonTokenType.EndArray })
            {
                reader.Read(); // whatever follows the array is an error
                return false;
            }

            start = offset + (int)reader.TokenStartIndex;
            reader.Skip();
        }
        catch (JsonException e)
        {
            // The reader counts lines from the start of the file (its state remembers), bytes likewise.
            var (line, column) = Position(bytes, StrictJson.OffsetOf(bytes, e));
            throw new InputException("not_json", $"line {line}, column {column}: this is not JSON: {StrictJson.Reason(e)}", file, line);
        }

        offset += (int)reader.BytesConsumed;
        state = reader.CurrentState;
        return true;
    }

    /// <summary>The one-based line and column (in characters) of a byte.</summary>
    public static (long Line, long Column) Position(ReadOnlySpan<byte> bytes, int offset)
    {
        var before = bytes[..offset];
        var lineStart = before.LastIndexOfAny((byte)'\n', (byte)'\r') + 1;
        return (1 + CountLines(before), 1 + Encoding.UTF8.GetCharCount(before[lineStart..]));
    }

    private static long CountLines(ReadOnlySpan<byte> bytes)
    {
        var lines = 0L;
        while (true)
        {
            var length = bytes.IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0)
            {
                return lines;
            }

            lines++;
            bytes = bytes[length..];
            bytes = bytes[NewLine(bytes)..];
        }
    }

    /// <summary>Bytes of the line end that the text begins with.</summary>
    public static int NewLine(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? 0 : bytes is [(byte)'\r', (byte)'\n', ..] ? 2 : 1;
}
