using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base;

/// <summary>JSON with one space after commas and colons on one line, as most data has it.</summary>
public static class Json
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Spread = new(Plain) { WriteIndented = true };

    public static string Line(JsonNode? node) => node switch
    {
        JsonObject o => "{" + string.Join(", ", o.Select(field => $"{Compact(field.Key)}: {Line(field.Value)}")) + "}",
        JsonArray a => "[" + string.Join(", ", a.Select(Line)) + "]",
        null => "null",
        _ => Compact(node),
    };

    public static string Compact(JsonNode? node) => node is null ? "null" : node.ToJsonString(Plain);

    public static string Indented(JsonNode node) => node.ToJsonString(Spread).ReplaceLineEndings("\n");

    /// <summary>Text, number, list and so on as a node.</summary>
    public static JsonNode? Of(object? value) => value switch
    {
        null => null,
        JsonNode node => node,
        string text => JsonValue.Create(text),
        int number => JsonValue.Create(number),
        decimal number => JsonValue.Create(number),
        bool truth => JsonValue.Create(truth),
        IEnumerable<string> items => new JsonArray(items.Select(item => (JsonNode?)JsonValue.Create(item)).ToArray()),
        _ => throw new ArgumentException($"no JSON for {value.GetType()}"),
    };

    public static JsonObject Object(IEnumerable<(string Key, object? Value)> fields)
    {
        var json = new JsonObject();
        foreach (var (key, value) in fields)
        {
            json.Add(key, Of(value));
        }

        return json;
    }
}
