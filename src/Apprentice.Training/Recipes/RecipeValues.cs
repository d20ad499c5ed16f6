using System.Globalization;

namespace Apprentice.Training.Recipes;

public enum TrainingMethod
{
    /// <summary>Low-rank adapters beside frozen weights (Hu et al. 2021).</summary>
    Lora,

    /// <summary>Low-rank adapters that turn the rows of frozen weights, and a length for each row (Liu et al. 2024).</summary>
    Dora,

    /// <summary>Every weight is trained.</summary>
    Full,

    /// <summary>Every weight is trained, from random values, on every token of a corpus.</summary>
    Pretrain,
}

public enum ScheduleKind
{
    Cosine,
    Linear,
    Constant,

    /// <summary>Warm-up, stable, decay.</summary>
    Wsd,
}

public enum OptimizerKind
{
    Adamw,
    Sgd,

    /// <summary>For the matrices inside the model; AdamW for the rest.</summary>
    Muon,
}

/// <summary>Whether activations are kept for the backward pass or computed again.</summary>
public enum RecomputePolicy
{
    /// <summary>Chosen from the memory forecast, and written into the run's lock.</summary>
    Auto,
    On,
    Off,
}

/// <summary>Whether a library may multiply matrices in place of our own kernels.</summary>
public enum AcceleratorPolicy
{
    /// <summary>Where library and CPU have bf16 products; what was used is written into the run's lock.</summary>
    Auto,
    Off,
}

/// <summary>How the lines of the data are laid out.</summary>
public enum DataFormat
{
    /// <summary>Found out from the data, and said.</summary>
    Auto,
    Chat,
    PromptCompletion,
    Instruction,
    Sharegpt,
    Text,

    /// <summary>Pairs of a preferred and another answer; supervised training learns the preferred ones.</summary>
    Preference,
}

/// <summary>A number of steps, or a share of all steps: "100" or "0.1". What has a point is a share.</summary>
public readonly record struct Amount(double Value, bool IsShare)
{
    public static Amount Share(double share) => new(share, true);

    public static Amount Steps(int steps) => new(steps, false);

    /// <summary>In steps, a share rounded up, never more than <paramref name="total"/> for a share.</summary>
    public int Of(int total) => IsShare ? (int)Math.Ceiling(Value * total) : (int)Value;

    public static Amount Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var steps))
        {
            return Steps(steps);
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var share) && share <= 1
            ? Share(share)
            : throw new FormatException("a share from 0.0 to 1.0, or a number of steps");
    }

    public override string ToString() => IsShare && Value % 1 == 0
        ? Value.ToString("F1", CultureInfo.InvariantCulture)
        : Value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>Examples that are not trained on: none, a share of the data ("0.1"), a number of its examples ("200"), or a file of their own.</summary>
public sealed record HeldOut
{
    private HeldOut()
    {
    }

    public static HeldOut None { get; } = new();

    public string? File { get; private init; }

    /// <summary>Between 0 and 1, both excluded.</summary>
    public double? Share { get; private init; }

    /// <summary>At least 1.</summary>
    public int? Count { get; private init; }

    /// <summary>A file, also one whose name would read as something else.</summary>
    public static HeldOut FromFile(string path) => new()
    {
        File = path == "none" || double.TryParse(path, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? "./" + path : path,
    };

    public static HeldOut FromCount(int count) => count == 0 ? None : new() { Count = count };

    /// <summary>How many of <paramref name="examples"/> are taken away; 0 for a file of its own.</summary>
    public int TakenFrom(int examples) => Count ?? (Share is { } share ? (int)Math.Round(share * examples, MidpointRounding.AwayFromZero) : 0);

    public static HeldOut Parse(string text)
    {
        if (text is "none" or "0")
        {
            return None;
        }

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? FromCount(count)
                : number is > 0 and < 1 ? new() { Share = number }
                : throw new FormatException("none, a share between 0.0 and 1.0, a number of examples, or a file (./NAME if its name is a number)");
        }

        return text.Length > 0 ? FromFile(text) : throw new FormatException("none, a share, a number of examples, or a file");
    }

    public override string ToString() => File ?? Count?.ToString(CultureInfo.InvariantCulture)
        ?? Share?.ToString("R", CultureInfo.InvariantCulture) ?? "none";
}
