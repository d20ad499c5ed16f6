using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Models.Layers;

/// <summary>Adapters as files: PEFT's folders, read and written; llama.cpp's GGUF files, read.</summary>
public sealed partial class LoraAdapter
{
    private const string Mismatch = "adapter_mismatch";

    /// <summary>Reads a PEFT folder or a GGUF file and checks it against the model.</summary>
    /// <exception cref="InputException">It is not sound, or changes what the model does not have or has in other dimensions.</exception>
    public static LoraAdapter Load(LanguageModel model, string path, bool trainable = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return File.Exists(path) ? FromGguf(model, path, trainable) : FromFolder(model, path, trainable);
    }

    /// <summary>Writes a PEFT folder; the caller makes it appear whole.</summary>
    public void Save(string folder, string baseModel) => PeftAdapter.Write(
        folder,
        Config with { BaseModel = baseModel, TaskType = "CAUSAL_LM", TargetPattern = null, TargetModules = TargetNames() },
        [.. _pairs.Select(p => new PeftModuleWeights(
            p.Key, p.Value.Pair.A.Columns, p.Value.Pair.B.Rows, p.Value.Pair.A.CopyTo, p.Value.Pair.B.CopyTo, p.Value.Pair.Magnitude is { } m ? m.Vector.CopyTo : null, p.Key == _embedding?.Module))],
        [.. _saved.Select(s => new SafetensorsTensor(s.Name, s.Weight.Shape, s.Weight.CopyTo))]);

    private static LoraAdapter FromFolder(LanguageModel model, string folder, bool trainable)
    {
        var file = PeftAdapter.Open(folder);
        var adapter = new LoraAdapter(file.Config);
        var modules = file.Modules.ToDictionary(m => m.Name);
        foreach (var layer in model.LinearLayers)
        {
            if (modules.Remove(layer.Name, out var module) && !module.IsEmbedding)
            {
                adapter.Add(file, module, layer.Weight, trainable);
            }
        }

        var (embedding, table) = model.TokenEmbedding;
        if (modules.Remove(embedding, out var looked) && looked.IsEmbedding)
        {
            adapter._embedding = (table, embedding);
            adapter.Add(file, looked, table, trainable);
        }

        if (modules.Keys.FirstOrDefault() is { } unknown)
        {
            throw new InputException(
                Mismatch,
                HeadName.StartsWith(unknown, StringComparison.Ordinal) ? $"the adapter has a pair for the output projection '{unknown}', which is not supported" : $"the adapter changes '{unknown}', which the base model does not have",
                folder);
        }

        var saved = file.Saved.ToDictionary(s => s.Name);
        foreach (var name in model.Weights.Keys.Union([HeadName]))
        {
            if (saved.Remove(name, out var weight))
            {
                adapter.Add(model, file, weight, trainable);
            }
        }

        return saved.Count == 0 ? adapter : throw new InputException(Mismatch, $"the adapter replaces '{saved.Keys.First()}', which the base model does not have", folder);
    }

    private void Add(PeftAdapter file, PeftModule module, Weight weight, bool trainable)
    {
        var (inFeatures, outFeatures) = module.IsEmbedding ? (weight.Rows, weight.Columns) : (weight.Columns, weight.Rows);
        if (module.InFeatures != inFeatures || module.OutFeatures != outFeatures)
        {
            throw new InputException(
                Mismatch,
                $"the adapter's {module.Name} is for a weight [{module.OutFeatures}, {module.InFeatures}]; the base model has [{outFeatures}, {inFeatures}]",
                file.File.Path);
        }

        Add(module.Name, weight, Values(module.A)!, Values(module.B), Values(module.Magnitude), trainable);

        float[]? Values(SafetensorsTensorInfo? tensor) => tensor is null ? null : file.File.ReadFloats(tensor.Name);
    }

    private void Add(LanguageModel model, PeftAdapter file, PeftSavedWeight saved, bool trainable)
    {
        var original = model.Weights.GetValueOrDefault(saved.Name) ?? model.Head;
        if (!saved.Tensor.Shape.SequenceEqual(original.Shape))
        {
            throw new InputException(
                Mismatch, $"the adapter's {saved.Name} is [{string.Join(", ", saved.Tensor.Shape)}]; the base model has [{string.Join(", ", original.Shape)}]", file.File.Path);
        }

        var values = file.File.ReadFloats(saved.Tensor.Name);
        if (ForEmbedding(original) is null || Config.Saves(saved.Name))
        {
            AddSaved(model, saved.Name, values, trainable);
            return;
        }

        // Not trained, only stored beside its pair: it tells whether this is the base that the pair was trained on.
        if (Distance(original, values) > 0.25)
        {
            throw new InputException(Mismatch, $"the adapter was trained beside another {saved.Name} than the base model's", file.File.Path);
        }
    }

    /// <summary>||a - b|| / ||b||; a quantised base is some percent away from the one that was trained on.</summary>
    private static double Distance(Weight weight, float[] values)
    {
        var (row, difference, length) = (new float[weight.Columns], 0.0, 0.0);
        for (var r = 0; r < weight.Rows; r++)
        {
            weight.CopyRow(r, row);
            for (var i = 0; i < row.Length; i++)
            {
                var value = values[((long)r * row.Length) + i];
                difference += Math.Pow(row[i] - value, 2);
                length += Math.Pow(value, 2);
            }
        }

        return Math.Sqrt(difference / Math.Max(length, double.Epsilon));
    }

    private static LoraAdapter FromGguf(LanguageModel model, string path, bool trainable)
    {
        var file = GgufAdapter.Open(path, model);
        var adapter = new LoraAdapter(file.Config);
        var (embedding, table) = model.TokenEmbedding;
        foreach (var (module, pair) in file.Pairs)
        {
            if (module == embedding)
            {
                adapter._embedding = (table, embedding);
            }

            adapter.Add(module, module == embedding ? table : model.LinearLayers.First(l => l.Name == module).Weight, pair.A, pair.B, magnitude: null, trainable);
        }

        return adapter;
    }

    /// <summary>The last name parts, as PEFT writes all-linear out, where nothing else was asked for.</summary>
    private string[] TargetNames()
    {
        if (Config.TargetModules.Count > 0)
        {
            return [.. Config.TargetModules];
        }

        return [.. Modules.Select(m => m[(m.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal)];
    }
}
