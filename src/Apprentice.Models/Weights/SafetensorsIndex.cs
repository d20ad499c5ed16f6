using System.Text.Json;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// <c>model.safetensors.index.json</c>: which shard of a model folder holds which tensor. Shards must be plain file
/// names: an index from a stranger may not point outside its folder.
/// </summary>
public sealed class SafetensorsIndex
{
    private const string ErrorCode = "bad_safetensors_index";

    private SafetensorsIndex(string path, Dictionary<string, string> weightMap)
    {
        Path = path;
        WeightMap = weightMap;
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        Shards = [.. weightMap.Values.Distinct().Order(StringComparer.Ordinal).Select(name => System.IO.Path.Combine(folder, name))];
    }

    public string Path { get; }

    /// <summary>Tensor name to the name of the file that holds it.</summary>
    public IReadOnlyDictionary<string, string> WeightMap { get; }

    /// <summary>The shards' full paths, each once, in the order of their names.</summary>
    public IReadOnlyList<string> Shards { get; }

    /// <exception cref="InputException">It is not there, not sound, or points outside its folder.</exception>
    public static SafetensorsIndex Open(string path)
    {
        using var reader = new BoundedReader(path, ErrorCode);
        var weightMap = WeightFileJson.Parse(reader, reader.ReadAll(), "the index", ReadWeightMap);
        return new SafetensorsIndex(path, weightMap);
    }

    private static Dictionary<string, string> ReadWeightMap(ref Utf8JsonReader json, BoundedReader reader)
    {
        Dictionary<string, string>? weightMap = null;
        WeightFileJson.BeginObject(ref json);
        while (WeightFileJson.NextName(ref json, reader) is { } name)
        {
            if (name == "weight_map" && weightMap is null)
            {
                weightMap = [];
                WeightFileJson.ReadStrings(ref json, reader, weightMap);
            }
            else
            {
                json.Skip();
            }
        }

        foreach (var shard in weightMap?.Values.Distinct() ?? throw reader.Error("the index has no 'weight_map'"))
        {
            if (!IsPlainFileName(shard))
            {
                throw reader.Error($"the shard '{shard}' is not a plain file name ending in .safetensors");
            }
        }

        return weightMap;
    }

    /// <summary>The same answer on every system: no separators, drives, streams or control characters of any of them.</summary>
    private static bool IsPlainFileName(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal)
        && name[0] != '.'
        && name.AsSpan().IndexOfAny("/\\:*?\"<>|") < 0
        && !name.Any(char.IsControl);
}
