using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>A module's two factors in an adapter file.</summary>
/// <param name="Name">The module's name in the base model, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="A">[r, in].</param>
/// <param name="B">[out, r].</param>
public sealed record PeftModule(string Name, SafetensorsTensorInfo A, SafetensorsTensorInfo B)
{
    public int Rank => (int)A.Shape[0];

    public long InFeatures => A.Shape[1];

    public long OutFeatures => B.Shape[0];
}

/// <summary>A module's two factors to be written.</summary>
/// <param name="Name">The module's name in the base model.</param>
/// <param name="InFeatures">Columns of A [r, in].</param>
/// <param name="OutFeatures">Rows of B [out, r].</param>
/// <param name="A">Gives A's elements.</param>
/// <param name="B">Gives B's elements.</param>
public sealed record PeftModuleWeights(string Name, long InFeatures, long OutFeatures, FillFloats A, FillFloats B);

/// <summary>
/// A LoRA adapter in PEFT's format: a folder with <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public sealed class PeftAdapter
{
    public const string WeightsName = "adapter_model.safetensors";

    private const string ErrorCode = "bad_adapter";
    private const string Prefix = "base_model.model.";
    private const string SuffixA = ".lora_A.weight";
    private const string SuffixB = ".lora_B.weight";

    private PeftAdapter(PeftConfig config, SafetensorsFile file, IReadOnlyList<PeftModule> modules) =>
        (Config, File, Modules) = (config, file, modules);

    public PeftConfig Config { get; }

    /// <summary>The tensors; <see cref="SafetensorsFile.ReadFloats"/> reads one.</summary>
    public SafetensorsFile File { get; }

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<PeftModule> Modules { get; }

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

        var file = SafetensorsFile.Open(weights);
        return new PeftAdapter(config, file, ReadModules(config, file));
    }

    /// <summary>
    /// Writes both files into a folder that is there. The caller makes the folder appear whole (write aside, rename).
    /// </summary>
    public static void Write(string folder, PeftConfig config, IEnumerable<PeftModuleWeights> modules)
    {
        ArgumentNullException.ThrowIfNull(config);
        var tensors = new List<SafetensorsTensor>();
        foreach (var module in modules)
        {
            var rank = config.RankOf(module.Name);
            tensors.Add(new SafetensorsTensor(Prefix + module.Name + SuffixA, [rank, module.InFeatures], module.A));
            tensors.Add(new SafetensorsTensor(Prefix + module.Name + SuffixB, [module.OutFeatures, rank], module.B));
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        PeftConfigFile.Write(Path.Combine(folder, PeftConfigFile.Name), config);
    }

    private static List<PeftModule> ReadModules(PeftConfig config, SafetensorsFile file)
    {
        var modules = new List<PeftModule>();
        foreach (var tensor in file.Tensors)
        {
            if (ModuleOf(tensor.Name, SuffixA) is { } module)
            {
                var b = file.Find(Prefix + module + SuffixB) ?? throw Error($"module '{module}' has lora_A but no lora_B");
                modules.Add(Check(new PeftModule(module, tensor, b)));
            }
            else if ((ModuleOf(tensor.Name, SuffixB) is not { } other) || file.Find(Prefix + other + SuffixA) is null)
            {
                throw Error($"tensor '{tensor.Name}' is not part of a LoRA pair '{Prefix}MODULE{SuffixA}' and '{Prefix}MODULE{SuffixB}'");
            }
        }

        modules.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return modules;

        PeftModule Check(PeftModule module)
        {
            var rank = config.RankOf(module.Name);
            if (module.A.Shape.Count != 2 || module.B.Shape.Count != 2 || module.A.Shape[0] != rank || module.B.Shape[1] != rank)
            {
                throw Error(
                    $"module '{module.Name}': lora_A must be [{rank}, in] and lora_B [out, {rank}] as {PeftConfigFile.Name} says; "
                    + $"they are [{string.Join(", ", module.A.Shape)}] and [{string.Join(", ", module.B.Shape)}]");
            }

            file.StorageTypeOf(module.A);
            file.StorageTypeOf(module.B);
            return module;
        }

        InputException Error(string message) => new(ErrorCode, message, file.Path);
    }

    private static string? ModuleOf(string tensor, string suffix) =>
        tensor.Length > Prefix.Length + suffix.Length
        && tensor.StartsWith(Prefix, StringComparison.Ordinal)
        && tensor.EndsWith(suffix, StringComparison.Ordinal)
            ? tensor[Prefix.Length..^suffix.Length]
            : null;
}
