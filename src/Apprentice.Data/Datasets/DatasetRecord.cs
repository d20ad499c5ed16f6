using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Data.Datasets;

/// <summary>One JSON object of a dataset with its place in the file: asks for fields and says what is wrong with them.</summary>
internal sealed record DatasetRecord(JsonObject Json, string File, long Line)
{
    /// <summary>The table whose row it is, or null.</summary>
    public CsvTable? Table { get; init; }

    /// <summary>In bytes of the file, where it is a table's row; else 0.</summary>
    public long Length { get; init; }

    public InputException Error(string code, string message, string? hint = null) =>
        new(code, $"line {Line}: {message}", File, Line, hint);

    /// <summary>A string that must be there. <paramref name="path"/> leads to <paramref name="parent"/>, such as "messages[2].".</summary>
    public string RequireString(JsonObject parent, string field, string path = "") =>
        AsString(Require(parent, field, path, "a string"), path + field);

    /// <summary>A string, or null where the field is missing or null.</summary>
    public string? OptionalString(JsonObject parent, string field, string path = "") =>
        parent[field] is { } node ? AsString(node, path + field) : null;

    public JsonArray RequireArray(JsonObject parent, string field, string path = "") =>
        AsArray(Require(parent, field, path, "an array"), path + field);

    public string AsString(JsonNode? node, string field) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : throw WrongType(field, node, "a string");

    public JsonArray AsArray(JsonNode? node, string field) => node as JsonArray ?? throw WrongType(field, node, "an array");

    public JsonObject AsObject(JsonNode? node, string field) => node as JsonObject ?? throw WrongType(field, node, "an object");

    public InputException WrongType(string field, JsonNode? found, string needed) =>
        Error("wrong_type", $"field '{field}' is {Kind(found)}; {needed} is needed");

    /// <summary>The names of an object's fields, for errors; a hostile record's are cut.</summary>
    public static string FieldNames(JsonObject json) =>
        json.Count == 0 ? "(none)" : string.Join(", ", json.Take(12).Select(field => $"'{(field.Key.Length > 40 ? field.Key[..40] + "…" : field.Key)}'"));

    private JsonNode Require(JsonObject parent, string field, string path, string needed) =>
        parent.TryGetPropertyValue(field, out var node)
            ? node ?? throw WrongType(path + field, null, needed)
            : throw Error("missing_field", $"field '{path}{field}' is missing; {needed} is needed");

    private static string Kind(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };
}
