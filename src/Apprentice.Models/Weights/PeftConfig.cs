using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// What PEFT's <c>adapter_config.json</c> says about a LoRA adapter: W + scale·B·A with A [r, in] and B [out, r].
/// Module names are those of the Hugging Face model, such as <c>model.layers.0.self_attn.q_proj</c>.
/// </summary>
public sealed record PeftConfig
{
    /// <summary>The word that stands for every linear layer but the output projection.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>r, where no pattern says otherwise.</summary>
    public required int Rank { get; init; }

    /// <summary>lora_alpha, where no pattern says otherwise.</summary>
    public required double Alpha { get; init; }

    /// <summary>Scale by alpha/√r (rsLoRA, arXiv 2312.03732) instead of alpha/r.</summary>
    public bool UseRsLora { get; init; }

    /// <summary>W + scale·B·A keeps its direction only; the length of each row is trained apart (DoRA, Liu et al. 2024).</summary>
    public bool UseDora { get; init; }

    /// <summary>The probability with which an element of the adapter's input is dropped in training.</summary>
    public double Dropout { get; init; }

    /// <summary>Names of adapted modules, whole or from some dot on. Empty where <see cref="TargetPattern"/> stands instead.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [];

    /// <summary><see cref="AllLinear"/>, or a regular expression for the whole name of a module.</summary>
    public string? TargetPattern { get; init; }

    /// <summary>Only layers of these numbers, or null for all.</summary>
    public IReadOnlyList<int>? LayersToTransform { get; init; }

    public ModulePatterns<int> RankPattern { get; init; } = ModulePatterns<int>.None;

    public ModulePatterns<double> AlphaPattern { get; init; } = ModulePatterns<double>.None;

    /// <summary>Endings of the names of modules that are trained whole and saved with the adapter.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>Biases that are trained and saved, too.</summary>
    public BiasTraining Bias { get; init; }

    /// <summary>Where the base model is: a path or a name, as it was given.</summary>
    public string? BaseModel { get; init; }

    /// <summary><c>CAUSAL_LM</c> for language models.</summary>
    public string? TaskType { get; init; }

    /// <summary>The base's matrices lie as [in, out] (GPT-2). A and B do not change with it.</summary>
    public bool FanInFanOut { get; init; }

    public int RankOf(string module) => RankPattern.Resolve(module, Rank);

    public double AlphaOf(string module) => AlphaPattern.Resolve(module, Alpha);

    /// <summary>The factor of B·A for this module.</summary>
    public double ScaleOf(string module)
    {
        var rank = RankOf(module);
        return AlphaOf(module) / (UseRsLora ? Math.Sqrt(rank) : rank);
    }

    /// <summary>
    /// Whether a module is to get an adapter when training starts. Under <see cref="AllLinear"/> the caller asks only for
    /// linear modules and leaves the output projection out. (Which modules a saved adapter has, its tensors say.)
    /// </summary>
    /// <exception cref="InputException">The target pattern is not a regular expression that we can match.</exception>
    public bool Targets(string module)
    {
        ArgumentNullException.ThrowIfNull(module);
        var chosen = TargetPattern switch
        {
            null => TargetModules.Any(key => ModulePattern.IsOrEndsIn(module, key)),
            AllLinear => true,
            _ => ModulePattern.Whole(TargetPattern, file: null)(module),
        };
        return chosen && (LayersToTransform is null || (LayerOf(module) is { } layer && LayersToTransform.Contains(layer)));
    }

    /// <summary>Whether a weight belongs to a module that is saved whole, or to a part of one. PEFT's rule: the endings need no dot before them.</summary>
    public bool Saves(string weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        for (var end = weight.LastIndexOf('.'); end > 0; end = weight.LastIndexOf('.', end - 1))
        {
            var module = weight[..end];
            if (ModulesToSave.Any(key => module.EndsWith(key, StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>PEFT's rule: the last number between dots that has a name within a name before it.</summary>
    private static int? LayerOf(string module)
    {
        var parts = module.Split('.');
        for (var i = parts.Length - 2; i >= 2; i--)
        {
            if (int.TryParse(parts[i], System.Globalization.NumberStyles.None, provider: null, out var layer))
            {
                return layer;
            }
        }

        return null;
    }
}
