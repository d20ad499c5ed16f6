using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Server.Contracts;

/// <summary>
/// The fields of a JSON object of a request. Each is asked for by name, with its type and range; whatever nobody asked for is then
/// refused, so that nothing a client says is passed over. A field that is null counts as absent, as in OpenAI's API.
/// </summary>
/// <param name="json">The object.</param>
/// <param name="path">How messages call it, such as <c>messages[0]</c>; empty for the body.</param>
/// <exception cref="ApiException">Of every method: 400, naming the field.</exception>
internal sealed class RequestFields(JsonObject json, string path = "")
{
    private readonly HashSet<string> _known = [];

    /// <summary>As messages call a field.</summary>
    public string NameOf(string field) => path.Length == 0 ? field : $"{path}.{field}";

    /// <summary>The value as it is, or null.</summary>
    public JsonNode? Any(string field)
    {
        _known.Add(field);
        return json[field];
    }

    public string? Text(string field, int longest = int.MaxValue)
    {
        var text = Value<string>(field, JsonValueKind.String, "a string");
        return text is null || text.Length <= longest ? text : throw new ApiException(
            400, $"Invalid '{NameOf(field)}': string too long. Expected a string with maximum length {longest}, but got a string with length {text.Length} instead.", NameOf(field), "string_above_max_length");
    }

    public string RequireText(string field) => Text(field) ?? throw ApiException.Missing(NameOf(field));

    public bool? Flag(string field) => Any(field) is not { } node ? null
        : node.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw WrongType(field, "a boolean", node),
        };

    public double? Number(string field, double least, double most)
    {
        if (Any(field) is not { } node)
        {
            return null;
        }

        var number = Numeric(node) ?? throw WrongType(field, "a decimal", node);
        RequireRange(field, "decimal", number, least, most);
        return number;
    }

    public long? Integer(string field, long least, long most)
    {
        if (Any(field) is not { } node)
        {
            return null;
        }

        if (node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var whole))
        {
            RequireRange(field, "integer", whole, least, most);
            return whole;
        }

        // 3.0 and 1e3 are integers, too, as JSON schema has it.
        var number = Numeric(node) is { } d && Math.Floor(d) == d ? d : throw WrongType(field, "an integer", node);
        RequireRange(field, "integer", number, least, most);
        return Math.Abs(number) < 1L << 53 ? (long)number : throw ApiException.InvalidValue(NameOf(field), "write so large an integer without exponent or decimal point.");
    }

    public JsonArray? Array(string field, int longest, int shortest = 0)
    {
        var array = Any(field) switch
        {
            null => null,
            JsonArray found => found,
            var other => throw WrongType(field, "an array", other),
        };
        if (array is not null && array.Count < shortest)
        {
            throw new ApiException(400, $"Invalid '{NameOf(field)}': empty array. Expected an array with minimum length {shortest}, but got an empty array instead.", NameOf(field), "empty_array");
        }

        return array is null || array.Count <= longest ? array : throw new ApiException(
            400, $"Invalid '{NameOf(field)}': array too long. Expected an array with maximum length {longest}, but got an array with length {array.Count} instead.", NameOf(field), "array_above_max_length");
    }

    public RequestFields? Object(string field) => Any(field) switch
    {
        null => null,
        JsonObject found => new RequestFields(found, NameOf(field)),
        var other => throw WrongType(field, "an object", other),
    };

    /// <summary>A field that changes nothing about the answer: its type is checked, its value passed over.</summary>
    public void Accept(string field, JsonValueKind kind, string right)
    {
        if (Any(field) is { } node && node.GetValueKind() != kind)
        {
            throw WrongType(field, right, node);
        }
    }

    /// <summary>A field that would change the answer and cannot be heeded; values that change nothing are let pass.</summary>
    public void Refuse(string field, string why, params ReadOnlySpan<string> harmless)
    {
        if (Any(field) is not { } node)
        {
            return;
        }

        var said = node.ToJsonString();
        foreach (var value in harmless)
        {
            if (said == value)
            {
                return;
            }
        }

        throw ApiException.Unsupported(NameOf(field), why);
    }

    /// <summary>To be called when all fields have been asked for.</summary>
    public void RequireNoOthers()
    {
        foreach (var (field, _) in json)
        {
            if (!_known.Contains(field))
            {
                throw ApiException.Unknown(NameOf(ApiException.Shown(field)));
            }
        }
    }

    public ApiException WrongType(string field, string right, JsonNode? got) => WrongTypeAt(NameOf(field), right, got);

    public static ApiException WrongTypeAt(string name, string right, JsonNode? got) =>
        new(400, $"Invalid type for '{name}': expected {right}, but got {Kind(got)} instead.", name, "invalid_type");

    private static string Kind(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => Numeric(node) is { } d && Math.Floor(d) == d ? "an integer" : "a decimal",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private static double? Numeric(JsonNode node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number) && double.IsFinite(number) ? number : null;

    private T? Value<T>(string field, JsonValueKind kind, string right)
        where T : class => Any(field) is not { } node ? null
        : node.GetValueKind() == kind && node.AsValue().TryGetValue<T>(out var value) ? value
        : throw WrongType(field, right, node);

    private void RequireRange(string field, string kind, double value, double least, double most)
    {
        var (wrong, sign, bound) = value < least ? ("below minimum", ">=", least) : ("above maximum", "<=", most);
        if (value < least || value > most)
        {
            var code = $"{kind}_{(value < least ? "below_min_value" : "above_max_value")}";
            throw new ApiException(400, string.Create(CultureInfo.InvariantCulture, $"Invalid '{NameOf(field)}': {kind} {wrong} value. Expected a value {sign} {bound}, but got {value} instead."), NameOf(field), code);
        }
    }
}
