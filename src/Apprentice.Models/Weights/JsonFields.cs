using System.Text.Json;

namespace Apprentice.Models.Weights;

/// <summary>The members of a small JSON object, each asked for by name and type; null counts as not given.</summary>
internal readonly struct JsonFields(BoundedReader reader, JsonElement root)
{
    public JsonElement? Find(string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether it says something other than null, false, or nothing at all.</summary>
    public bool IsSet(string name) => Find(name) is { } value && value.ValueKind switch
    {
        JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.GetPropertyCount() > 0,
        JsonValueKind.String => value.GetString() != "",
        _ => true,
    };

    public string? String(string name) => Find(name) is not { } value ? null : Text(name, value);

    public bool Bool(string name) => Find(name) switch
    {
        null => false,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw reader.Error($"'{name}' must be true or false"),
    };

    public double Number(string name, double otherwise) => Find(name) is not { } value ? otherwise : Number(name, value);

    public IEnumerable<string> Strings(string name)
    {
        foreach (var item in Items(name))
        {
            yield return Text(name, item);
        }
    }

    /// <summary>A list of integers or a single one; null where it is not given.</summary>
    public int[]? Integers(string name)
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        JsonElement[] items = value.ValueKind == JsonValueKind.Number ? [value] : Items(name);
        var result = new int[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i].ValueKind != JsonValueKind.Number || !items[i].TryGetInt32(out result[i]))
            {
                throw reader.Error($"'{name}' must hold integers");
            }
        }

        return result;
    }

    /// <summary>An object of numbers, in its order; empty where it is not given.</summary>
    public IEnumerable<KeyValuePair<string, double>> Numbers(string name)
    {
        if (Find(name) is not { } value)
        {
            yield break;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw reader.Error($"'{name}' must be an object");
        }

        foreach (var member in value.EnumerateObject())
        {
            yield return KeyValuePair.Create(member.Name, Number(member.Name, member.Value));
        }
    }

    private JsonElement[] Items(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray()],
        _ => throw reader.Error($"'{name}' must be a list"),
    };

    private string Text(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw reader.Error($"'{name}' must be a string");

    private double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw reader.Error($"'{name}' must be a number");
}
