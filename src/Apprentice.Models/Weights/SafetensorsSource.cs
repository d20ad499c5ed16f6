using Apprentice.Data;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>The safetensors files of a Hugging Face folder: one file, or shards with an index.</summary>
public sealed class SafetensorsSource : WeightSource
{
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensorInfo Tensor)> _tensors = [];

    /// <exception cref="InputException">The folder has no safetensors weights, or they are not sound.</exception>
    public SafetensorsSource(string folder)
    {
        Path = folder;
        var (single, index) = (Single(folder), Index(folder));
        var files = File.Exists(single) ? [single]
            : File.Exists(index) ? ShardsOf(index)
            : throw new InputException("no_weights", "the folder has neither model.safetensors nor model.safetensors.index.json", folder);
        Headers = [.. files.Select(SafetensorsFile.Open)];
        foreach (var file in Headers)
        {
            foreach (var tensor in file.Tensors)
            {
                _tensors[tensor.Name] = (file, tensor);
            }
        }
    }

    /// <summary>Whether the folder has such weights.</summary>
    public static bool IsIn(string folder) => File.Exists(Single(folder)) || File.Exists(Index(folder));

    public override string Path { get; }

    public override IReadOnlyList<string> Files => [.. Headers.Select(h => h.Path)];

    /// <summary>The files, as far as their headers say what is in them.</summary>
    internal IReadOnlyList<SafetensorsFile> Headers { get; }

    public override bool Has(string name) => Find(name) is not null;

    public override Weight Get(string name, params long[] shape)
    {
        var (file, tensor) = Find(name) ?? throw Missing(name);
        return tensor.Shape.SequenceEqual(shape)
            ? Map(file.Path).Weight(name, tensor.Offset, file.StorageTypeOf(tensor), shape)
            : throw WrongShape(name, tensor.Shape, shape);
    }

    public override Weight GetTurned(string name, long rows, long columns) => Get(name, columns, rows).Turned();

    /// <summary>Models saved without their output projection (GPT-2's on the Hub) lack the first part of each name, such as model or transformer.</summary>
    private (SafetensorsFile File, SafetensorsTensorInfo Tensor)? Find(string name) =>
        _tensors.TryGetValue(name, out var found) || _tensors.TryGetValue(name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..], out found) ? found : null;

    private static IReadOnlyList<string> ShardsOf(string index)
    {
        var shards = SafetensorsIndex.Open(index).Shards;
        var missing = shards.Where(shard => !File.Exists(shard)).ToArray();
        return missing.Length == 0 ? shards : throw new InputException(
            "missing_shard", $"of the {shards.Count} files that the index names {missing.Length} are not there, such as {System.IO.Path.GetFileName(missing[0])}", index, hint: "download the rest of the model into this folder");
    }

    private static string Single(string folder) => System.IO.Path.Combine(folder, "model.safetensors");

    private static string Index(string folder) => System.IO.Path.Combine(folder, "model.safetensors.index.json");
}
