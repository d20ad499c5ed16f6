using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>A LoRA adapter: for some linear layers a pair A, B. Knows nothing of the base weights it is used with.</summary>
public sealed class LoraAdapter
{
    private readonly Dictionary<string, (LoraPair Pair, ulong Place)> _pairs = [];

    private LoraAdapter(PeftConfig config) => Config = config;

    public PeftConfig Config { get; }

    /// <summary>Module names, in the model's order.</summary>
    public IEnumerable<string> Modules => _pairs.Keys;

    /// <summary>All A and B, in a fixed order.</summary>
    public IEnumerable<Weight> Weights => _pairs.Values.SelectMany(p => new[] { p.Pair.A, p.Pair.B });

    public long ParameterCount => Weights.Sum(w => w.Count);

    /// <summary>
    /// A new adapter that changes nothing yet: A uniform in ±1/sqrt(in) (as PEFT does), B zero.
    /// </summary>
    /// <exception cref="InputException">The targets name no linear layer of the model.</exception>
    public static LoraAdapter Create(LanguageModel model, PeftConfig config, ulong seed)
    {
        var adapter = new LoraAdapter(config);
        foreach (var layer in model.LinearLayers.Where(l => config.Targets(l.Name)))
        {
            var rank = config.RankOf(layer.Name);
            var values = new float[(long)rank * layer.Weight.Columns];
            var bound = 1 / Math.Sqrt(layer.Weight.Columns);
            var random = new CounterRandom(seed, RandomStream.Initialization, (ulong)adapter._pairs.Count);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)(((2 * random.Uniform((ulong)i)) - 1) * bound);
            }

            adapter.Add(layer.Name, Weight.FromValues($"{layer.Name}.lora_A", trainable: true, values, rank, layer.Weight.Columns), layer.Weight.Rows);
        }

        return adapter._pairs.Count > 0 ? adapter : throw new InputException(
            "no_targets",
            $"the targets '{config.TargetPattern ?? string.Join(", ", config.TargetModules)}' name no linear layer of the model",
            hint: $"its linear layers end in {string.Join(", ", model.LinearLayers.Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct())}");
    }

    /// <summary>Reads a PEFT folder and checks it against the model.</summary>
    /// <exception cref="InputException">A module is not a linear layer of the model or has other dimensions.</exception>
    public static LoraAdapter Load(LanguageModel model, string folder, bool trainable = false)
    {
        var file = PeftAdapter.Open(folder);
        var adapter = new LoraAdapter(file.Config);
        var modules = file.Modules.ToDictionary(m => m.Name);
        foreach (var layer in model.LinearLayers)
        {
            if (!modules.Remove(layer.Name, out var module))
            {
                continue;
            }

            if (module.InFeatures != layer.Weight.Columns || module.OutFeatures != layer.Weight.Rows)
            {
                throw new InputException(
                    "adapter_mismatch",
                    $"the adapter's {layer.Name} is for a weight [{module.OutFeatures}, {module.InFeatures}]; the base model has [{layer.Weight.Rows}, {layer.Weight.Columns}]",
                    folder);
            }

            var a = Weight.FromValues($"{layer.Name}.lora_A", trainable, file.File.ReadFloats(module.A.Name), module.Rank, module.InFeatures);
            var pair = adapter.Add(layer.Name, a, (int)module.OutFeatures, trainable);
            pair.B.SetValues(file.File.ReadFloats(module.B.Name));
        }

        return modules.Count == 0 ? adapter : throw new InputException(
            "adapter_mismatch", $"the adapter changes '{modules.Keys.First()}', which the base model does not have", folder);
    }

    /// <summary>Writes a PEFT folder; the caller makes it appear whole.</summary>
    public void Save(string folder, string baseModel) => PeftAdapter.Write(
        folder,
        Config with { BaseModel = baseModel, TaskType = "CAUSAL_LM", TargetPattern = null, TargetModules = TargetNames() },
        _pairs.Select(p => new PeftModuleWeights(p.Key, p.Value.Pair.A.Columns, p.Value.Pair.B.Rows, p.Value.Pair.A.CopyTo, p.Value.Pair.B.CopyTo)));

    /// <summary>The pair of a linear layer, or null where it is not adapted.</summary>
    public LoraPair? For(string module, DropoutMask? dropout = null) =>
        !_pairs.TryGetValue(module, out var found) ? null
        : dropout is { } mask ? found.Pair with { Dropout = mask.At(found.Place) }
        : found.Pair;

    private LoraPair Add(string module, Weight a, int outFeatures, bool trainable = true)
    {
        var pair = new LoraPair(a, Weight.Zeros($"{module}.lora_B", trainable, outFeatures, a.Rows), (float)Config.ScaleOf(module));
        _pairs.Add(module, (pair, (ulong)_pairs.Count));
        return pair;
    }

    /// <summary>The last name parts, as PEFT writes all-linear out, where they say the same; else the whole names.</summary>
    private string[] TargetNames()
    {
        if (Config.TargetModules.Count > 0)
        {
            return [.. Config.TargetModules];
        }

        return [.. Modules.Select(m => m[(m.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal)];
    }
}
