using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>A module's factors in an adapter file.</summary>
/// <param name="Name">The module's name in the base model, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="A">[r, in]; of an embedding [r, vocabulary].</param>
/// <param name="B">[out, r]; of an embedding [width, r].</param>
/// <param name="Magnitude">DoRA's lengths [out], or null.</param>
/// <param name="IsEmbedding">Whether the module is an embedding, for which the file has names of its own.</param>
public sealed record PeftModule(string Name, SafetensorsTensorInfo A, SafetensorsTensorInfo B, SafetensorsTensorInfo? Magnitude, bool IsEmbedding)
{
    public int Rank => (int)A.Shape[0];

    public long InFeatures => A.Shape[1];

    public long OutFeatures => B.Shape[0];
}

/// <summary>A module's factors to be written.</summary>
/// <param name="Name">The module's name in the base model.</param>
/// <param name="InFeatures">Columns of A [r, in].</param>
/// <param name="OutFeatures">Rows of B [out, r].</param>
/// <param name="A">Gives A's elements.</param>
/// <param name="B">Gives B's elements.</param>
/// <param name="Magnitude">Gives DoRA's lengths [out], or null.</param>
/// <param name="IsEmbedding">Whether the module is an embedding.</param>
public sealed record PeftModuleWeights(
    string Name, long InFeatures, long OutFeatures, FillFloats A, FillFloats B, FillFloats? Magnitude = null, bool IsEmbedding = false);

/// <summary>A weight of the base that the adapter file holds whole.</summary>
/// <param name="Name">Its name in the base model, such as <c>model.norm.weight</c>.</param>
/// <param name="Tensor">As it lies in the file.</param>
public sealed record PeftSavedWeight(string Name, SafetensorsTensorInfo Tensor);

/// <summary>
/// A LoRA adapter in PEFT's format: a folder with <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public sealed class PeftAdapter
{
    public const string WeightsName = "adapter_model.safetensors";

    private const string ErrorCode = "bad_adapter";
    private const string Prefix = "base_model.model.";
    private const string BaseLayer = ".base_layer";
    private const string Magnitude = ".lora_magnitude_vector";
    private static readonly (string A, string B) Linear = (".lora_A.weight", ".lora_B.weight");
    private static readonly (string A, string B) Embedding = (".lora_embedding_A", ".lora_embedding_B");

    private readonly List<PeftModule> _modules = [];
    private readonly List<PeftSavedWeight> _saved = [];

    private PeftAdapter(PeftConfig config, SafetensorsFile file)
    {
        (Config, File) = (config, file);
        foreach (var tensor in file.Tensors)
        {
            if (!tensor.Name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                throw Error($"tensor '{tensor.Name}' does not begin with '{Prefix}'");
            }

            Add(tensor, tensor.Name[Prefix.Length..]);
        }

        _modules.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
    }

    public PeftConfig Config { get; }

    /// <summary>The tensors; <see cref="SafetensorsFile.ReadFloats"/> reads one.</summary>
    public SafetensorsFile File { get; }

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<PeftModule> Modules => _modules;

    /// <summary>
    /// Weights that were trained whole: of <c>modules_to_save</c>, and biases. Beside them the weight of an adapted embedding,
    /// which PEFT stores although it was not trained.
    /// </summary>
    public IReadOnlyList<PeftSavedWeight> Saved => _saved;

    /// <exception cref="InputException">A file is missing or not sound, or the adapter is of a kind that is not supported.</exception>
    public static PeftAdapter Open(string folder)
    {
        var config = PeftConfigFile.Read(Path.Combine(folder, PeftConfigFile.Name));
        var weights = Path.Combine(folder, WeightsName);
        if (!System.IO.File.Exists(weights) && System.IO.File.Exists(Path.Combine(folder, "adapter_model.bin")))
        {
            throw new InputException(
                "unsupported_adapter",
                $"the adapter has no {WeightsName}, only a pickled adapter_model.bin, which may run code and is never opened",
                folder,
                hint: "save it again with PEFT's save_pretrained(safe_serialization=True)");
        }

        return new PeftAdapter(config, SafetensorsFile.Open(weights));
    }

    /// <summary>
    /// Writes both files into a folder that is there. The caller makes the folder appear whole (write aside, rename).
    /// </summary>
    /// <param name="modules">The pairs.</param>
    /// <param name="saved">Whole weights under their names in the base model.</param>
    public static void Write(string folder, PeftConfig config, IReadOnlyList<PeftModuleWeights> modules, IReadOnlyList<SafetensorsTensor>? saved = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        var tensors = new List<SafetensorsTensor>();
        foreach (var module in modules)
        {
            var rank = config.RankOf(module.Name);
            var (a, b) = module.IsEmbedding ? Embedding : Linear;
            tensors.Add(new SafetensorsTensor(Prefix + module.Name + a, [rank, module.InFeatures], module.A));
            tensors.Add(new SafetensorsTensor(Prefix + module.Name + b, [module.OutFeatures, rank], module.B));
            if (module.Magnitude is { } magnitude)
            {
                tensors.Add(new SafetensorsTensor(Prefix + module.Name + Magnitude, [module.OutFeatures], magnitude));
            }
        }

        var adapted = modules.Select(m => m.Name).ToHashSet();
        foreach (var weight in saved ?? [])
        {
            var dot = weight.Name.LastIndexOf('.');
            var (module, end) = (weight.Name[..dot], weight.Name[dot..]);
            tensors.Add(weight with { Name = Prefix + module + (adapted.Contains(module) ? BaseLayer : "") + end });
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        PeftConfigFile.Write(Path.Combine(folder, PeftConfigFile.Name), config);
    }

    private void Add(SafetensorsTensorInfo tensor, string name)
    {
        if (Cut(name, Linear.A) is { } linear)
        {
            AddPair(tensor, linear, Linear.B, isEmbedding: false);
        }
        else if (Cut(name, Embedding.A) is { } embedding)
        {
            AddPair(tensor, embedding, Embedding.B, isEmbedding: true);
        }
        else if (IsSaved(name, out var weight))
        {
            File.StorageTypeOf(tensor);
            _saved.Add(new PeftSavedWeight(weight, tensor));
        }
        else if (!(HasPart(name, Linear.B, Linear.A) || HasPart(name, Embedding.B, Embedding.A) || (Config.UseDora && HasPart(name, Magnitude, Linear.A))))
        {
            throw Error(
                $"tensor '{tensor.Name}' is not part of a LoRA pair '{Prefix}MODULE{Linear.A}' and '{Prefix}MODULE{Linear.B}', and {PeftConfigFile.Name} names no such weight to be saved");
        }
    }

    /// <summary>The other half of a pair that is there; the pair is added with its A.</summary>
    private bool HasPart(string name, string suffix, string with) => Cut(name, suffix) is { } module && File.Find(Prefix + module + with) is not null;

    /// <summary>Whether the configuration lets this weight be saved whole; gives its name in the base model.</summary>
    private bool IsSaved(string name, out string weight)
    {
        var inner = name.LastIndexOf(BaseLayer + ".", StringComparison.Ordinal);
        weight = inner < 0 ? name : name.Remove(inner, BaseLayer.Length);
        if (inner >= 0)
        {
            return Config.Bias != BiasTraining.None && weight.EndsWith(".bias", StringComparison.Ordinal)
                || (weight.EndsWith(".weight", StringComparison.Ordinal) && new[] { Embedding.A, Linear.A }.Any(a => File.Find(Prefix + name[..inner] + a) is not null));
        }

        return Config.Saves(weight) || (Config.Bias == BiasTraining.All && weight.EndsWith(".bias", StringComparison.Ordinal));
    }

    private void AddPair(SafetensorsTensorInfo a, string module, string suffixB, bool isEmbedding)
    {
        var b = File.Find(Prefix + module + suffixB) ?? throw Error($"module '{module}' has {Kind(a)} but no {suffixB.Split('.')[1]}");
        var rank = Config.RankOf(module);
        if (a.Shape.Count != 2 || b.Shape.Count != 2 || a.Shape[0] != rank || b.Shape[1] != rank || a.Shape[1] < 1 || b.Shape[0] < 1)
        {
            throw Error(
                $"module '{module}': {Kind(a)} must be [{rank}, in] and {suffixB.Split('.')[1]} [out, {rank}] as {PeftConfigFile.Name} says; "
                + $"they are [{string.Join(", ", a.Shape)}] and [{string.Join(", ", b.Shape)}]");
        }

        var magnitude = Config.UseDora ? File.Find(Prefix + module + Magnitude) : null;
        if (Config.UseDora && (isEmbedding || magnitude is null || !magnitude.Shape.SequenceEqual([b.Shape[0]])))
        {
            throw isEmbedding
                ? new InputException("unsupported_adapter", $"module '{module}': DoRA of an embedding is not supported", File.Path)
                : Error($"module '{module}': DoRA needs a {Magnitude[1..]} [{b.Shape[0]}]; it is {(magnitude is null ? "missing" : $"[{string.Join(", ", magnitude.Shape)}]")}");
        }

        foreach (var tensor in new[] { a, b, magnitude })
        {
            _ = tensor is null ? default : File.StorageTypeOf(tensor);
        }

        _modules.Add(new PeftModule(module, a, b, magnitude, isEmbedding));
    }

    private static string Kind(SafetensorsTensorInfo a) => a.Name.EndsWith(Linear.A, StringComparison.Ordinal) ? "lora_A" : "lora_embedding_A";

    private InputException Error(string message) => new(ErrorCode, message, File.Path);

    private static string? Cut(string name, string suffix) =>
        name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : null;
}
