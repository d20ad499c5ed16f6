using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>A record that is still text: its length in bytes, and how to read it.</summary>
internal readonly record struct UnreadRecord<T>(long Length, Func<T> Read);

/// <summary>The records of a file: lines of JSON, elements of a JSON array, or rows of a CSV table. Does not know their format.</summary>
internal static class RecordReader
{
    /// <param name="file">The name, for messages; its ending may say that it is a table.</param>
    /// <param name="bytes">The whole file.</param>
    /// <param name="table">The table, where it is one.</param>
    /// <exception cref="InputException">It is a table whose header is not sound; what is wrong with a record shows when it is read.</exception>
    public static IEnumerable<UnreadRecord<DatasetRecord>> Open(string file, ReadOnlyMemory<byte> bytes, out CsvTable? table)
    {
        table = CsvTable.Find(file, bytes);
        return table is not null
            ? table.Records().Select(record => new UnreadRecord<DatasetRecord>(record.Length, () => record))
            : RecordSplitter.Split(file, bytes).Select(raw => new UnreadRecord<DatasetRecord>(raw.Json.Length, () => Parse(file, raw)));
    }

    private static DatasetRecord Parse(string file, RawRecord raw)
    {
        if (raw.Json.Length > DatasetReader.MaximumRecordLength)
        {
            throw new InputException("too_large", $"line {raw.Line}: the record is {raw.Json.Length >> 20} MB long; at most {DatasetReader.MaximumRecordLength >> 20} MB are read", file, raw.Line);
        }

        var node = StrictJson.Parse(raw.Json.Span, out var problem);
        if (problem is not null)
        {
            // A pretty-printed record of an array file spreads over lines; a JSONL record is one line.
            var (line, column) = RecordSplitter.Position(raw.Json.Span, problem.Offset);
            line += raw.Line - 1;
            throw problem.Code == "not_json"
                ? new InputException(problem.Code, $"line {line}, column {column}: {problem.Message}", file, line, "JSONL has one whole JSON object on each line; objects over several lines belong in a JSON array [ … ]")
                : new InputException(problem.Code, $"line {line}: {problem.Message}", file, line);
        }

        return node is JsonObject json
            ? new DatasetRecord(json, file, raw.Line)
            : throw new InputException("wrong_type", $"line {raw.Line}: the record is not a JSON object {{…}}", file, raw.Line);
    }
}
