using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Models.Export;

/// <summary>Writes a model as a Hugging Face folder, an adapter worked into its base, or the adapter alone as PEFT's folder.</summary>
public static class FolderExport
{
    /// <summary>The types that the weights can have, and what <c>config.json</c> calls each.</summary>
    public static IReadOnlyDictionary<StorageType, string> TypeNames { get; } = new Dictionary<StorageType, string>
    {
        [StorageType.F32] = "float32", [StorageType.F16] = "float16", [StorageType.BF16] = "bfloat16",
    };

    /// <summary>Configuration, tokenizer, template and <c>model.safetensors</c>, into a folder that is there. The caller makes it appear whole.</summary>
    /// <param name="type">Of all weights.</param>
    /// <exception cref="InputException">The format cannot say something of the model, which is named.</exception>
    public static void WriteModel(LoadedModel model, StorageType type, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequireConfig(model);
        MergedWeights.Check(model);
        ModelFolder.WriteCompanions(model, folder);
        WriteTypeInto(folder, type);
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"),
            model.Model.Weights.Select(w => TensorOf(model, w.Key, w.Value, type)),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static SafetensorsTensor TensorOf(LoadedModel model, string name, Weight weight, StorageType type)
    {
        var elements = MergedWeights.Elements(model, name, weight);
        return model.Model.IsTurned(name)
            ? SafetensorsTensor.Turned(name, weight.Rows, weight.Columns, elements, type)
            : new(name, weight.Shape, elements, type);
    }

    /// <summary>The adapter with its configuration, which names the base as it was given.</summary>
    /// <exception cref="InputException">The model is no adapter.</exception>
    public static void WriteAdapter(LoadedModel model, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        var adapter = model.Adapter ?? throw new InputException(
            "not_an_adapter", "this is a whole model, and a PEFT folder holds an adapter", model.Reference.Base, hint: "write the model: --format safetensors");
        adapter.Save(folder, adapter.Config.BaseModel ?? model.Reference.Base);
    }

    private static void RequireConfig(LoadedModel model)
    {
        try
        {
            if (model.Reference.IsGguf)
            {
                model.Model.ToConfig();
            }
        }
        catch (NotSupportedException e)
        {
            throw new InputException("not_exportable", $"the model cannot be written as a Hugging Face folder: {e.Message}", model.Reference.Base);
        }
    }

    /// <summary>Readers take the weights as the type that the configuration names, whatever the file has.</summary>
    private static void WriteTypeInto(string folder, StorageType type)
    {
        const string Name = "config.json";
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, Name)))!.AsObject();
        config["torch_dtype"] = TypeNames[type];
        if (config.ContainsKey("dtype"))
        {
            config["dtype"] = TypeNames[type];
        }

        ModelFolder.Write(folder, Name, config);
    }
}
