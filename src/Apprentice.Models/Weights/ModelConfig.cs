using System.Text.Json;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// A small JSON object that describes a model or an adapter, such as config.json: each field asked for by name and type;
/// null counts as not given.
/// </summary>
public sealed class ModelConfig
{
    private const int LongestFile = 8 << 20;
    private readonly JsonElement _root;
    private readonly string _errorCode;

    private ModelConfig(string path, string errorCode, JsonElement root) => (Path, _errorCode, _root) = (path, errorCode, root);

    public string Path { get; }

    /// <param name="errorCode">Of every complaint about this file.</param>
    /// <exception cref="InputException">It is not there or no sound JSON object.</exception>
    public static ModelConfig Open(string path, string errorCode = "bad_config")
    {
        using var reader = new BoundedReader(path, errorCode);
        if (reader.Length > LongestFile)
        {
            throw reader.Error($"{System.IO.Path.GetFileName(path)} of {reader.Length} bytes: the most is {LongestFile}");
        }

        var text = reader.ReadAll();
        if (StrictJson.Check(text) is { } problem)
        {
            throw reader.Error($"not sound JSON: {problem.Message}");
        }

        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = StrictJson.MaximumDepth + 1, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ModelConfig(path, errorCode, document.RootElement.Clone())
                : throw reader.Error($"{System.IO.Path.GetFileName(path)} must hold a JSON object");
        }
        catch (JsonException e)
        {
            throw reader.Error($"not sound JSON: {e.Message}");
        }
    }

    /// <summary>The value as it stands, or null where it is absent or null.</summary>
    internal JsonElement? Find(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether the field is there, be it null.</summary>
    public bool Has(string name) => _root.TryGetProperty(name, out _);

    /// <summary>Whether it says something other than null, false, or nothing at all.</summary>
    public bool IsSet(string name) => Find(name) is { } value && value.ValueKind switch
    {
        JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.GetPropertyCount() > 0,
        JsonValueKind.String => value.GetString() != "",
        _ => true,
    };

    /// <summary>A nested object, or null where it is absent or null.</summary>
    public ModelConfig? Object(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Object } inner ? new ModelConfig(Path, _errorCode, inner) : null;

    public string? String(string name) => Find(name) is { } value ? Text(name, value) : null;

    /// <summary>A list of strings; empty where it is not given.</summary>
    public string[] Strings(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => Text(name, item))],
        _ => throw Wrong(name, "a list of strings"),
    };

    public bool Bool(string name, bool otherwise) => Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A size from 1 to 2^24.</summary>
    public int Size(string name) => FindSize(name) ?? throw Error($"'{name}' is missing");

    public int? FindSize(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var size) && size is > 0 and <= 1 << 24 => size,
        _ => throw Wrong(name, "an integer from 1 to 16777216"),
    };

    public double? Number(string name) => Find(name) is { } value ? Number(name, value) : null;

    /// <summary>A list of numbers; empty where it is not given.</summary>
    public double[] NumberList(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => Number(name, item))],
        _ => throw Wrong(name, "a list of numbers"),
    };

    /// <summary>An object of numbers, in its order; empty where it is not given.</summary>
    public KeyValuePair<string, double>[] Numbers(string name) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Object } map => [.. map.EnumerateObject().Select(m => KeyValuePair.Create(m.Name, Number(m.Name, m.Value)))],
        _ => throw Wrong(name, "an object of numbers"),
    };

    /// <summary>An integer or a list of integers; empty where it is not given.</summary>
    public int[] Integers(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return [.. items.Select(i => i.ValueKind == JsonValueKind.Number && i.TryGetInt32(out var n) ? n : throw Wrong(name, "an integer or a list of integers"))];
    }

    /// <summary>Demands that a setting, where it is given, is one of those that are built.</summary>
    /// <exception cref="InputException">It is another one, which would give other results.</exception>
    public void Expect(string name, params string[] built)
    {
        if (String(name) is { } value && !built.Contains(value))
        {
            throw Wrong(name, $"{string.Join(" or ", built)} for this architecture, not {value}");
        }
    }

    /// <summary>Demands that settings which are not built are not given.</summary>
    /// <exception cref="InputException">One is, and would give other results.</exception>
    public void Refuse(params string[] names)
    {
        if (names.FirstOrDefault(IsSet) is { } set)
        {
            throw Error($"'{set}' is set, which would give other results and is not supported for this architecture");
        }
    }

    public InputException Wrong(string name, string wanted) => Error($"'{name}' must be {wanted}");

    public InputException Error(string message) => new(_errorCode, message, Path);

    private string Text(string name, JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, "a string");

    private double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw Wrong(name, "a number");
}
