using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Export;

/// <summary>
/// Writes an adapter as llama.cpp applies it to its base (<see cref="GgufAdapter"/>), in F32. The format has one alpha for all
/// pairs: where rsLoRA or a pattern gives another factor, B is multiplied by what is missing.
/// </summary>
public static class GgufAdapterExport
{
    /// <param name="model">With an adapter.</param>
    /// <param name="name">The adapter's name, for people.</param>
    /// <param name="baseModel">The base as the adapter names it, or null.</param>
    /// <param name="stream">Where the file goes.</param>
    /// <exception cref="InputException">There is no adapter, or the format cannot say something of it, which is named; nothing was written.</exception>
    public static void Write(LoadedModel model, string name, string? baseModel, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        var adapter = model.Adapter ?? throw new InputException("no_adapter", "this is a whole model, not an adapter", model.Reference.Base, hint: "export it with --format gguf");
        if (adapter.Config.UseDora || adapter.Saved.Count > 0)
        {
            throw new InputException(
                "not_exportable",
                $"a GGUF adapter holds pairs A, B and nothing else; this one has {(adapter.Config.UseDora ? "DoRA's magnitudes" : $"'{adapter.Saved[0].Name}' whole")}",
                model.Reference.Adapter, hint: "merge it into its base: --format gguf");
        }

        var architecture = GgufAdapter.Describe(model.Model, model.Reference.Base);
        var tensors = adapter.Modules.SelectMany(module => TensorsOf(module, adapter, model.Model, architecture)).ToList();
        GgufWriter.Write(stream, Metadata(adapter, architecture, name, baseModel), tensors);
    }

    private static IEnumerable<(string Key, object Value)> Metadata(LoraAdapter adapter, GgufArchitecture architecture, string name, string? baseModel)
    {
        yield return architecture.Metadata.First(m => m.Key == "general.architecture");
        yield return ("general.type", "adapter");
        yield return ("adapter.type", "lora");
        yield return (GgufAdapter.AlphaKey, (float)adapter.Config.Alpha);
        yield return ("general.name", name);
        yield return ("general.file_type", GgufExport.FileTypes[StorageType.F32]);
        yield return ("general.quantization_version", 2u);
        if (baseModel is not null)
        {
            yield return ("general.base_model.count", 1u);
            yield return (GgufAdapter.BaseKey, baseModel);
        }
    }

    private static IEnumerable<GgufTensor> TensorsOf(string module, LoraAdapter adapter, LanguageModel model, GgufArchitecture architecture)
    {
        var weight = $"{module}.weight";
        var stored = architecture.Translate(weight) ?? throw new InputException("not_exportable", $"GGUF has no name for the weight '{weight}'");
        var pair = adapter.For(module)!;
        var (a, b) = (pair.A.ToArray(), pair.B.ToArray());
        var missing = pair.Scale / ((float)adapter.Config.Alpha / pair.Rank);
        if (missing != 1)
        {
            b = Array.ConvertAll(b, value => value * missing);
        }

        if (architecture.InterleavedHeads(weight) is { } heads)
        {
            b = GgufAdapter.Reordered(b, pair.Rank, GgufSource.InterleavedOrder(pair.B.Rows, heads));
        }

        var isEmbedding = module == model.TokenEmbedding.Name;
        yield return isEmbedding
            ? Tensor(stored + GgufAdapter.SuffixA, [pair.A.Columns, pair.Rank], GgufAdapter.Transposed(a, pair.Rank, pair.A.Columns))
            : Tensor(stored + GgufAdapter.SuffixA, [pair.Rank, pair.A.Columns], a);
        yield return Tensor(stored + GgufAdapter.SuffixB, [pair.B.Rows, pair.Rank], b);
    }

    private static GgufTensor Tensor(string name, long[] shape, float[] values) => new(name, shape, GgmlType.All[0], stream =>
    {
        var row = new byte[BlockFormats.RowBytes(StorageType.F32, (int)shape[1])];
        for (var r = 0; r < shape[0]; r++)
        {
            BlockFormats.FromFloats(StorageType.F32, values.AsSpan(r * (int)shape[1], (int)shape[1]), row);
            stream.Write(row);
        }
    });
}
