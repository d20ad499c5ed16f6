using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>A record that is still text: its length in bytes, and how to make the example of it.</summary>
internal readonly record struct UnreadRecord(long Length, Func<Example> Read);

/// <summary>
/// Reads a dataset: JSONL or a JSON array, in UTF-8 with or without a byte order mark, in one of the formats of
/// <see cref="DatasetFormat"/>. What is wrong ends in an <see cref="InputException"/> with file, line and field.
/// </summary>
public static class DatasetReader
{
    /// <summary>Longest record, in bytes.</summary>
    public const int MaximumRecordLength = 16 << 20;

    // Counting mistakes is a courtesy that must not take long on a file that is all mistakes.
    private const int MaximumCountedMistakes = 100;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="format">Its format, or null to recognise it by the field names of the first record.</param>
    /// <param name="columns">Role to field, where the fields have other names than the format's: <c>prompt</c> to <c>question</c>.</param>
    /// <exception cref="InputException">The first mistake; its message says how many further records are bad.</exception>
    public static Dataset Read(string path, DatasetFormat? format = null, IReadOnlyDictionary<string, string>? columns = null)
    {
        return Read(path, ReadBytes(path), format, columns);
    }

    /// <summary>
    /// The records of a file, to be read later and anywhere: for files too large to be held as examples. Without a stated
    /// format each record shows its own.
    /// </summary>
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="format">The format of all records, or null.</param>
    /// <param name="columns">As for <see cref="Read(string, DatasetFormat?, IReadOnlyDictionary{string, string}?)"/>.</param>
    /// <param name="bytes">Of the whole file.</param>
    internal static IEnumerable<UnreadRecord> OpenRecords(string path, DatasetFormat? format, IReadOnlyDictionary<string, string>? columns, out long bytes)
    {
        var mapping = columns is null or { Count: 0 } ? null : new Columns(columns, path);
        var content = ReadBytes(path);
        bytes = content.Length;
        return RecordSplitter.Split(path, content).Select(raw => new UnreadRecord(raw.Json.Length, () =>
        {
            var record = Parse(path, raw);
            mapping?.Apply(record);
            var stated = format ?? mapping?.Format;
            return ToExample(record, stated ?? Detect(record), stated is not null);
        }));
    }

    private static byte[] ReadBytes(string path)
    {
        if (!File.Exists(path))
        {
            throw MissingFile.Error(path, "file of examples");
        }

        try
        {
            var content = File.ReadAllBytes(path);
            ForeignData.Refuse(path, content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new InputException("unreadable_file", $"the data file '{path}' cannot be read: {e.Message}", path);
        }
    }

    /// <summary>Reads a dataset that is in memory; <paramref name="file"/> is its name in messages.</summary>
    public static Dataset Read(
        string file, ReadOnlyMemory<byte> bytes, DatasetFormat? format = null, IReadOnlyDictionary<string, string>? columns = null)
    {
        var examples = new List<Example>();
        var mapping = columns is null or { Count: 0 } ? null : new Columns(columns, file);
        var stated = format ?? mapping?.Format;
        var detected = stated;
        InputException? first = null;
        var further = 0;
        try
        {
            foreach (var raw in RecordSplitter.Split(file, bytes))
            {
                try
                {
                    var record = Parse(file, raw);
                    mapping?.Apply(record);
                    detected ??= Detect(record);
                    examples.Add(ToExample(record, detected.Value, stated is not null));
                }
                catch (InputException e) when (first is null)
                {
                    first = e;
                }
                catch (InputException)
                {
                    if (++further == MaximumCountedMistakes)
                    {
                        break;
                    }
                }
            }
        }
        catch (InputException e)
        {
            first ??= e; // a broken array cannot be read on
        }

        if (first is not null)
        {
            throw new InputException(
                first.Code, further == 0 ? first.Message : $"{first.Message} ({Further(further)})", first.File, first.Line, first.Hint ?? mapping?.Description);
        }

        mapping?.RequireSeen();

        return examples.Count > 0
            ? new Dataset(file, detected!.Value, examples)
            : throw new InputException(
                "no_examples", bytes.IsEmpty ? "the file is empty" : "the file has no examples in it", file, hint: $"put one JSON object on each line, such as {ForeignData.OneLine}");
    }

    private static DatasetRecord Parse(string file, RawRecord raw)
    {
        if (raw.Json.Length > MaximumRecordLength)
        {
            throw new InputException("too_large", $"line {raw.Line}: the record is {raw.Json.Length >> 20} MB long; at most {MaximumRecordLength >> 20} MB are read", file, raw.Line);
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

    private static DatasetFormat Detect(DatasetRecord record)
    {
        RefusePreference(record);
        return DatasetFormats.Recognise(record.Json.ContainsKey) ?? throw record.Error(
            "unknown_format",
            $"the format is not recognised from the fields {DatasetRecord.FieldNames(record.Json)}",
            $"formats: {DatasetFormats.Known}");
    }

    private static Example ToExample(DatasetRecord record, DatasetFormat format, bool stated)
    {
        if (!stated)
        {
            RefusePreference(record);
            if (DatasetFormats.Recognise(record.Json.ContainsKey) is { } other && other != format)
            {
                throw record.Error("mixed_formats", $"the file began as {format.Describe()} but this record is {other.Describe()}; one file has one format");
            }
        }

        return format switch
        {
            DatasetFormat.Chat => ChatFormat.Read(record),
            DatasetFormat.PromptCompletion => PromptCompletionFormat.Read(record),
            DatasetFormat.Instruction => InstructionFormat.Read(record),
            DatasetFormat.ShareGpt => ShareGptFormat.Read(record),
            DatasetFormat.Text => TextFormat.Read(record),
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    private static void RefusePreference(DatasetRecord record)
    {
        if (DatasetFormats.RecognisePreference(record.Json) is { } preference)
        {
            throw record.Error("preference_not_read", $"this is preference data ({preference}), which is not trained on yet", $"formats: {DatasetFormats.Known}");
        }
    }

    private static string Further(int count) =>
        count == MaximumCountedMistakes ? $"and at least {count} further records are bad" : count == 1 ? "and 1 further record is bad" : $"and {count} further records are bad";
}
