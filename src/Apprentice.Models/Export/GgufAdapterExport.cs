using System.Numerics.Tensors;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

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
        var adapter = model.Adapter ?? throw new InputException("not_an_adapter", "this is a whole model, not an adapter", model.Reference.Base, hint: "export it with --format gguf");
        if (adapter.Config.Alpha == 0)
        {
            throw new InputException("not_exportable", "the adapter's alpha is 0, which the format reads as a factor of 1", model.Reference.Adapter);
        }

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
        var stored = architecture.Mapping.Translate(weight) ?? throw new InputException("not_exportable", $"GGUF has no name for the weight '{weight}'");
        var pair = adapter.For(module)!;
        var missing = pair.Scale / ((float)adapter.Config.Alpha / pair.Rank);
        var b = architecture.Mapping.InterleavedHeads(weight) is { } heads ? pair.B.WithRows(GgufSource.InterleavedOrder(pair.B.Rows, heads)) : pair.B;
        yield return Tensor(stored + GgufAdapter.SuffixA, module == model.TokenEmbedding.Name ? pair.A.Turned() : pair.A, 1);
        yield return Tensor(stored + GgufAdapter.SuffixB, b, missing);
    }

    private static GgufTensor Tensor(string name, Weight weight, float factor) => new(name, [.. weight.Shape], GgmlType.All[0], stream =>
    {
        var row = new float[weight.Columns];
        for (var r = 0; r < weight.Rows; r++)
        {
            weight.CopyRow(r, row);
            TensorPrimitives.Multiply(row, factor, row);
            GgufExport.WriteRow(stream, StorageType.F32, row);
        }
    });
}
