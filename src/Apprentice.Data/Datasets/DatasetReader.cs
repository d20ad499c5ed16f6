namespace Apprentice.Data.Datasets;

/// <summary>
/// Reads a dataset: JSONL, a JSON array or a CSV table, in UTF-8 with or without a byte order mark, in one of the formats of
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
    public static Dataset Read(string path, DatasetFormat? format = null, IReadOnlyDictionary<string, string>? columns = null) =>
        Read(path, ReadBytes(path), format, columns);

    /// <summary>Reads a dataset that is in memory; <paramref name="file"/> is its name in messages.</summary>
    public static Dataset Read(
        string file, ReadOnlyMemory<byte> bytes, DatasetFormat? format = null, IReadOnlyDictionary<string, string>? columns = null)
    {
        var mapping = Mapping(columns, file);
        var stated = format ?? mapping?.Format;
        var detected = stated;
        var examples = ReadAll(file, bytes, mapping, out var table, record =>
        {
            detected ??= Detect(record);
            return ToExample(record, detected.Value, stated is not null);
        });
        return new Dataset(file, detected!.Value, examples) { Table = table?.Description };
    }

    /// <summary>Reads a file of preference data.</summary>
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="columns">As for <see cref="Read(string, DatasetFormat?, IReadOnlyDictionary{string, string}?)"/>.</param>
    /// <exception cref="InputException">The first mistake, one of which is that it is no preference data.</exception>
    public static PreferenceSet ReadPreferences(string path, IReadOnlyDictionary<string, string>? columns = null) =>
        ReadPreferences(path, ReadBytes(path), columns);

    /// <summary>Reads preference data that is in memory; <paramref name="file"/> is its name in messages.</summary>
    public static PreferenceSet ReadPreferences(string file, ReadOnlyMemory<byte> bytes, IReadOnlyDictionary<string, string>? columns = null) =>
        new(file, ReadAll(file, bytes, Mapping(columns, file), out _, PreferenceFormat.Read));

    /// <summary>
    /// The records of a file, to be read later and anywhere: for files too large to be held as examples. Without a stated
    /// format each record shows its own.
    /// </summary>
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="format">The format of all records, or null.</param>
    /// <param name="columns">As for <see cref="Read(string, DatasetFormat?, IReadOnlyDictionary{string, string}?)"/>.</param>
    /// <param name="bytes">Of the whole file.</param>
    internal static IEnumerable<UnreadRecord<Example>> OpenRecords(string path, DatasetFormat? format, IReadOnlyDictionary<string, string>? columns, out long bytes)
    {
        var mapping = Mapping(columns, path);
        var content = ReadBytes(path);
        bytes = content.Length;
        return RecordReader.Open(path, content, out _).Select(unread => new UnreadRecord<Example>(unread.Length, () =>
        {
            var record = unread.Read();
            mapping?.Apply(record);
            var stated = format ?? mapping?.Format;
            return ToExample(record, stated ?? Detect(record), stated is not null);
        }));
    }

    /// <summary>All records of a file; the first mistake is told when the others have been counted.</summary>
    private static List<T> ReadAll<T>(string file, ReadOnlyMemory<byte> bytes, Columns? mapping, out CsvTable? table, Func<DatasetRecord, T> read)
    {
        var all = new List<T>();
        InputException? first = null;
        var further = 0;
        table = null;
        try
        {
            foreach (var unread in RecordReader.Open(file, bytes, out table))
            {
                try
                {
                    var record = unread.Read();
                    mapping?.Apply(record);
                    all.Add(read(record));
                }
                catch (InputException e) when (first is null)
                {
                    first = e;
                    if (e.Line is null)
                    {
                        break; // it is about the whole file
                    }
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
            first ??= e; // a broken array or table cannot be read on
        }

        if (first is not null)
        {
            throw new InputException(
                first.Code, further == 0 ? first.Message : $"{first.Message} ({Further(further)})", first.File, first.Line, first.Hint ?? mapping?.Description);
        }

        mapping?.RequireSeen();
        return all.Count > 0 ? all
            : table is not null ? throw new InputException("no_examples", $"this is {table.Description} and no row below its header", file, hint: table.Hint)
            : throw new InputException(
                "no_examples", bytes.IsEmpty ? "the file is empty" : "the file has no examples in it", file, hint: $"put one JSON object on each line, such as {ForeignData.OneLine}");
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

    private static Columns? Mapping(IReadOnlyDictionary<string, string>? columns, string file) => columns is null or { Count: 0 } ? null : new Columns(columns, file);

    private static DatasetFormat Detect(DatasetRecord record)
    {
        RefusePreference(record);
        return DatasetFormats.Recognise(record.Json.ContainsKey) ?? throw (record.Table is { } table
            ? new InputException("unknown_format", $"this is {table.Description}, of which none says what is the input and what the answer", record.File, hint: table.Hint)
            : record.Error(
                "unknown_format",
                $"the format is not recognised from the fields {DatasetRecord.FieldNames(record.Json)}",
                $"formats: {DatasetFormats.Known}"));
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
            DatasetFormat.Preference => PreferenceFormat.Read(record).Chosen,
            _ => throw new ArgumentOutOfRangeException(nameof(format)),
        };
    }

    /// <summary>The preferred answers are trained on only where the user says so: who brings both may expect that both count.</summary>
    private static void RefusePreference(DatasetRecord record)
    {
        if (DatasetFormats.DescribePreference(record.Json) is { } preference)
        {
            throw record.Error(
                "preference_data",
                $"this is preference data ({preference}), and supervised training would learn nothing from the answers that are not preferred",
                preference == DatasetFormats.Judged ? $"formats: {DatasetFormats.Known}" : "to learn the preferred answers alone: --format preference");
        }
    }

    private static string Further(int count) =>
        count == MaximumCountedMistakes ? $"and at least {count} further records are bad" : count == 1 ? "and 1 further record is bad" : $"and {count} further records are bad";
}
