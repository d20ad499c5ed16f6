using System.Text.Json;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>The <c>config.json</c> of a Hugging Face folder, each field asked for by name and type.</summary>
public sealed class ModelConfig
{
    private const int LongestFile = 8 << 20;
    private readonly JsonElement _root;

    private ModelConfig(string path, JsonElement root) => (Path, _root) = (path, root);

    public string Path { get; }

    /// <exception cref="InputException">It is not there or no JSON object.</exception>
    public static ModelConfig Open(string path)
    {
        using var reader = new BoundedReader(path, "bad_config");
        if (reader.Length > LongestFile)
        {
            throw reader.Error($"config.json of {reader.Length} bytes: the most is {LongestFile}");
        }

        try
        {
            using var document = JsonDocument.Parse(StrictJson.ReadAll(reader), new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ModelConfig(path, document.RootElement.Clone())
                : throw reader.Error("config.json must hold a JSON object");
        }
        catch (JsonException e)
        {
            throw reader.Error($"not sound JSON: {e.Message}");
        }
    }

    /// <summary>A nested object, or null where it is absent or null.</summary>
    public ModelConfig? Object(string name) => Find(name) is { ValueKind: JsonValueKind.Object } inner ? new ModelConfig(Path, inner) : null;

    public string? String(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong(name, "a string"),
    };

    public bool Bool(string name, bool otherwise) => Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "true or false"),
    };

    /// <summary>A size from 1 to 2^24.</summary>
    public int Size(string name) => FindSize(name) ?? throw new InputException("bad_config", $"'{name}' is missing", Path);

    public int? FindSize(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var size) && size is > 0 and <= 1 << 24 => size,
        _ => throw Wrong(name, "an integer from 1 to 16777216"),
    };

    public double? Number(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        _ => throw Wrong(name, "a number"),
    };

    /// <summary>An integer or a list of integers.</summary>
    public int[] Integers(string name)
    {
        if (Find(name) is not { } value)
        {
            return [];
        }

        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return [.. items.Select(i => i.ValueKind == JsonValueKind.Number && i.TryGetInt32(out var n) ? n : throw Wrong(name, "an integer or a list of integers"))];
    }

    public InputException Wrong(string name, string wanted) => new("bad_config", $"'{name}' must be {wanted}", Path);

    private JsonElement? Find(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
