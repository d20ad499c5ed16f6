using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>
/// What is put beside a base model's weights: for some linear layers, and the embedding, a pair A, B (LoRA, with a magnitude
/// DoRA); for some weights a copy that was trained whole (PEFT's <c>modules_to_save</c>, biases). The base stays as it is.
/// </summary>
public sealed partial class LoraAdapter
{
    private const string HeadName = "lm_head.weight";

    private readonly Dictionary<string, (LoraPair Pair, ulong Place)> _pairs = [];
    private readonly Dictionary<Weight, Weight> _replaced = [];
    private readonly List<(string Name, Weight Weight)> _saved = [];
    private (Weight Table, string Module)? _embedding;

    private LoraAdapter(PeftConfig config) => Config = config;

    public PeftConfig Config { get; }

    /// <summary>Names of the modules with a pair, in the model's order.</summary>
    public IEnumerable<string> Modules => _pairs.Keys;

    /// <summary>Weights that replace the base's, under their names there.</summary>
    public IReadOnlyList<(string Name, Weight Weight)> Saved => _saved;

    /// <summary>All A, B and magnitudes, then the saved weights, in a fixed order.</summary>
    public IEnumerable<Weight> Weights => _pairs.Values.SelectMany(p => WeightsOf(p.Pair)).Concat(_saved.Select(s => s.Weight));

    public long ParameterCount => Weights.Sum(w => w.Count);

    /// <summary>The output projection that replaces the base's, or null.</summary>
    public Weight? Head { get; private set; }

    /// <summary>
    /// A new adapter that changes nothing yet: A uniform in ±1/sqrt(in) (as PEFT does) and B zero, for an embedding the other
    /// way round; magnitudes the lengths of the base's rows; saved weights the base's.
    /// </summary>
    /// <exception cref="InputException">The targets name no layer of the model, or the modules to save nothing of it.</exception>
    public static LoraAdapter Create(LanguageModel model, PeftConfig config, ulong seed)
    {
        var adapter = new LoraAdapter(config);
        foreach (var layer in model.LinearLayers.Where(l => config.Targets(l.Name) && !config.Saves($"{l.Name}.weight")))
        {
            var a = Uniform(config.RankOf(layer.Name), layer.Weight.Columns, 1 / Math.Sqrt(layer.Weight.Columns), seed, adapter._pairs.Count);
            adapter.Add(layer.Name, layer.Weight, a, b: null, magnitude: null, trainable: true);
        }

        var (embedding, table) = model.TokenEmbedding;
        if (config.TargetPattern != PeftConfig.AllLinear && config.Targets(embedding))
        {
            adapter.AddNewEmbedding(embedding, table, seed);
        }

        if (adapter._pairs.Count == 0)
        {
            throw new InputException(
                "no_targets",
                $"the targets '{config.TargetPattern ?? string.Join(", ", config.TargetModules)}' name no linear layer of the model",
                hint: $"its linear layers end in {string.Join(", ", model.LinearLayers.Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct())}");
        }

        foreach (var name in adapter.NamesToSave(model))
        {
            adapter.AddSaved(model, name, values: null, trainable: true);
        }

        return adapter;
    }

    /// <summary>The pair of a linear layer, or null where it is not adapted.</summary>
    public LoraPair? For(string module, DropoutMask? dropout = null) =>
        !_pairs.TryGetValue(module, out var found) ? null
        : dropout is { } mask ? found.Pair with { Dropout = mask.At(found.Place) }
        : found.Pair;

    /// <summary>The pair of an embedding table, or null where it is not adapted.</summary>
    public LoraPair? ForEmbedding(Weight table) => _embedding is { } found && found.Table == table ? _pairs[found.Module].Pair : null;

    /// <summary>The copy that replaces a weight of the base, or null.</summary>
    public Weight? Replacement(Weight weight) => _replaced.GetValueOrDefault(weight);

    /// <summary>A row of a base weight, widened, as a merged model has it. (A <see cref="Head"/> of a tied model becomes a weight of its own there.)</summary>
    /// <param name="name">The weight's name in the model.</param>
    /// <param name="weight">The base's.</param>
    /// <param name="row">Its number.</param>
    /// <param name="destination">[columns].</param>
    public void CopyMergedRow(string name, Weight weight, int row, float[] destination)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(weight);
        (Replacement(weight) ?? weight).CopyRow(row, destination);
        if (ForEmbedding(weight) is { } embedding)
        {
            embedding.MergeEmbeddingRow(row, destination);
        }
        else if (weight.Shape.Count == 2)
        {
            For(name[..name.LastIndexOf('.')])?.MergeRow(row, destination);
        }
    }

    /// <summary>
    /// How many times the learning rate a weight is to have under LoRA+ (Hayou et al. 2024): the ratio for every B and for
    /// all that has one dimension, as PEFT does it.
    /// </summary>
    public Func<Weight, double> RateFactors(double ratio)
    {
        var faster = _pairs.Where(p => p.Key != _embedding?.Module).Select(p => p.Value.Pair.B).Concat(Weights.Where(w => w.Shape.Count == 1)).ToHashSet();
        return weight => faster.Contains(weight) ? ratio : 1;
    }

    private static IEnumerable<Weight> WeightsOf(LoraPair pair) => pair.Magnitude is { } magnitude ? [pair.A, pair.B, magnitude.Vector] : [pair.A, pair.B];

    /// <summary>Weights of modules to save, and biases, as the configuration asks for them.</summary>
    private List<string> NamesToSave(LanguageModel model)
    {
        var names = model.Weights.Keys.Union([HeadName]).Where(Config.Saves).ToList();
        if (Config.ModulesToSave.FirstOrDefault(key => !names.Any(n => (Config with { ModulesToSave = [key] }).Saves(n))) is { } missing)
        {
            throw new InputException("no_targets", $"modules_to_save: the model has no module whose name ends in '{missing}'");
        }

        var biases = Config.Bias switch
        {
            BiasTraining.All => model.Weights.Keys.Where(n => n.EndsWith(".bias", StringComparison.Ordinal)),
            BiasTraining.LoraOnly => model.LinearLayers.Where(l => l.Bias is not null && _pairs.ContainsKey(l.Name)).Select(l => $"{l.Name}.bias"),
            _ => [],
        };
        return [.. names.Union(biases)];
    }

    private void AddNewEmbedding(string module, Weight table, ulong seed)
    {
        if (Config.UseDora)
        {
            throw new InputException("no_targets", $"the targets name the embedding '{module}', for which there is no DoRA", hint: "use method lora, or leave it out");
        }

        var rank = Config.RankOf(module);
        _embedding = (table, module);
        Add(module, table, new float[(long)rank * table.Rows], Uniform(table.Columns, rank, 1 / Math.Sqrt(rank), seed, _pairs.Count), magnitude: null, trainable: true);
    }

    /// <param name="a">[r, in].</param>
    /// <param name="b">[out, r]; null: zeros.</param>
    /// <param name="magnitude">[out] under DoRA; null: the lengths of the base's rows.</param>
    private void Add(string module, Weight weight, float[] a, float[]? b, float[]? magnitude, bool trainable)
    {
        var isEmbedding = module == _embedding?.Module;
        var (inFeatures, outFeatures) = isEmbedding ? (weight.Rows, weight.Columns) : (weight.Columns, weight.Rows);
        var kind = isEmbedding ? "lora_embedding" : "lora";
        var (first, second) = (Weight.FromValues($"{module}.{kind}_A", trainable, a, a.Length / inFeatures, inFeatures), Weight.Zeros($"{module}.{kind}_B", trainable, outFeatures, a.Length / inFeatures));
        if (b is not null)
        {
            second.SetValues(b);
        }

        var pair = new LoraPair(first, second, (float)Config.ScaleOf(module));
        if (Config.UseDora)
        {
            var vector = magnitude is null
                ? Weight.Zeros($"{module}.lora_magnitude_vector", trainable, outFeatures)
                : Weight.FromValues($"{module}.lora_magnitude_vector", trainable, magnitude, outFeatures);
            pair = pair with { Magnitude = new DoraMagnitude(vector, weight, isNew: magnitude is null) };
        }

        _pairs.Add(module, (pair, (ulong)_pairs.Count));
    }

    /// <param name="values">Null: the base's.</param>
    private void AddSaved(LanguageModel model, string name, float[]? values, bool trainable)
    {
        if (model.IsTurned(name))
        {
            throw new InputException("unsupported_adapter", $"'{name}' lies as [in, out] in Hugging Face's files; such a weight is not saved whole", hint: "leave its module out of modules_to_save");
        }

        var tied = !model.Weights.TryGetValue(name, out var original); // a head that is the embedding, too, has no name of its own
        original ??= model.Head;
        var copy = values is null ? original.Widened(trainable, name) : Weight.FromValues(name, trainable, values, [.. original.Shape]);
        _saved.Add((name, copy));
        if (!tied)
        {
            _replaced.Add(original, copy);
        }

        if (name == HeadName)
        {
            Head = copy;
        }
    }

    private static float[] Uniform(int rows, int columns, double bound, ulong seed, int place)
    {
        var values = new float[(long)rows * columns];
        var random = new CounterRandom(seed, RandomStream.Initialization, (ulong)place);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)(((2 * random.Uniform((ulong)i)) - 1) * bound);
        }

        return values;
    }
}
