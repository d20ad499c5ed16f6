using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Which field of a dataset plays which role, where its names are not the usual ones: role to field, such as
/// <c>prompt</c> to <c>question</c>. Fields that are not named keep their own names.
/// </summary>
internal sealed class Columns
{
    private static readonly string[] Required = ["messages", "prompt", "completion", "instruction", "output", "conversations", "text", "chosen", "rejected", "preferred_output", "non_preferred_output"];
    private static readonly string[] Optional = ["system", "input", "history", "tools"];

    private readonly IReadOnlyDictionary<string, string> _fields;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly string _file;

    /// <param name="file">The dataset, for errors.</param>
    /// <exception cref="InputException">A role that no format has, or two roles for one field.</exception>
    public Columns(IReadOnlyDictionary<string, string> fields, string file)
    {
        (_fields, _file) = (fields, file);
        if (fields.Keys.FirstOrDefault(role => !Required.Contains(role) && !Optional.Contains(role)) is { } unknown)
        {
            throw new InputException(
                "bad_columns", $"columns names a role '{unknown}' that no format has; the roles are {string.Join(", ", [.. Required, .. Optional])}", file,
                hint: "write role: field, such as prompt: question");
        }

        if (fields.GroupBy(f => f.Value).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw new InputException("bad_columns", $"columns takes the field '{twice.Key}' for both {string.Join(" and ", twice.Select(f => f.Key))}", file);
        }

        Format = DatasetFormats.Recognise(fields.ContainsKey);
    }

    /// <summary>The format that the roles show, or null where they leave it open.</summary>
    public DatasetFormat? Format { get; }

    /// <summary>Who plays what, in words.</summary>
    public string Description => $"by columns, {string.Join(", ", _fields.Select(f => $"{f.Key} is the field '{f.Value}'"))}";

    /// <summary>Gives the fields the names of their roles; a field that had such a name before is gone.</summary>
    /// <exception cref="InputException">A field is not there.</exception>
    public void Apply(DatasetRecord record)
    {
        var taken = new List<KeyValuePair<string, JsonNode?>>();
        foreach (var (role, field) in _fields)
        {
            if (record.Json.TryGetPropertyValue(field, out var value))
            {
                lock (_seen) // records may be read on several threads
                {
                    _seen.Add(field);
                }

                taken.Add(new(role, value));
            }
            else if (Required.Contains(role))
            {
                throw record.Error("missing_field", $"field '{field}' is missing, which columns takes for {role}; the record's fields are {DatasetRecord.FieldNames(record.Json)}");
            }
        }

        foreach (var name in _fields.Values.Concat(_fields.Keys))
        {
            record.Json.Remove(name);
        }

        foreach (var (role, value) in taken)
        {
            record.Json[role] = value;
        }
    }

    /// <summary>To be called at the file's end: a field may be missing in some records, but not in all.</summary>
    public void RequireSeen()
    {
        if (_fields.FirstOrDefault(f => !_seen.Contains(f.Value)) is { Key: { } role, Value: var field })
        {
            throw new InputException("missing_field", $"no record has the field '{field}', which columns takes for {role}", _file);
        }
    }
}
