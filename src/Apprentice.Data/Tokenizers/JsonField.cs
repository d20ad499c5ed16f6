using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Apprentice.Data.Tokenizers;

/// <summary>A value of a JSON file that knows where it stands, so that every error names file and field.</summary>
internal readonly record struct JsonField(JsonElement Value, string Path, string File)
{
    public bool IsNull => Value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>A field of this object; the field may be absent, which is as good as null.</summary>
    public JsonField this[string name] =>
        Value.ValueKind != JsonValueKind.Object ? throw Wrong("an object")
        : new JsonField(Value.TryGetProperty(name, out var value) ? value : default, Path.Length == 0 ? name : $"{Path}.{name}", File);

    /// <summary>The field "type" of a component.</summary>
    public string Type => this["type"].Text();

    public string Text() => Value.ValueKind == JsonValueKind.String ? Value.GetString()! : throw Wrong("a string");

    public bool Bool(bool otherwise) => Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ when IsNull => otherwise,
        _ => throw Wrong("true or false"),
    };

    /// <summary>An integer from 0 up to <paramref name="limit"/>, which is not included.</summary>
    public int Int(int limit) =>
        Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out var value) && value >= 0 && value < limit
            ? value : throw Wrong($"an integer from 0 to {limit - 1}");

    public JsonElement.ArrayEnumerator Elements() => Value.ValueKind == JsonValueKind.Array ? Value.EnumerateArray() : throw Wrong("an array");

    public IEnumerable<JsonField> Items()
    {
        var self = this;
        return Elements().Select((v, i) => self with { Value = v, Path = $"{self.Path}[{i}]" });
    }

    /// <summary>The fields of this object.</summary>
    public IEnumerable<(string Name, JsonField Value)> Fields()
    {
        var self = this;
        return Value.ValueKind == JsonValueKind.Object
            ? Value.EnumerateObject().Select(p => (p.Name, self with { Value = p.Value, Path = $"{self.Path}.{p.Name}" }))
            : throw Wrong("an object");
    }

    public bool TryField(string name, [NotNullWhen(true)] out JsonField? field)
    {
        var found = this[name];
        field = found.IsNull ? null : found;
        return field is not null;
    }

    public InputException Wrong(string expected) =>
        new("bad_tokenizer", $"{Path}: expected {expected}, found {(Value.ValueKind == JsonValueKind.Undefined ? "nothing" : Shorten(Value.GetRawText()))}.", File);

    public InputException Unsupported(string what) => new("unsupported_tokenizer", $"{Path}: {what} is not supported.", File);

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "…");
}
