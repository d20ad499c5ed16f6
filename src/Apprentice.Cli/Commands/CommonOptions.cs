using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Apprentice.Cli.Commands;

/// <summary>Options that mean the same in every command that has them.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print one JSON object on standard output and nothing else there.",
        Arity = ArgumentArity.Zero,
        Recursive = true,
    };

    /// <summary>What may stand where a model is asked for.</summary>
    public const string ModelKinds = "A .gguf file, a Hugging Face folder, a run folder, an adapter folder, a registered name, or base (built in).";

    public static Option<string> Model() => new("--model")
    {
        Description = ModelKinds,
        HelpName = "MODEL",
        Required = true,
    };

    public static Option<string?> Adapter() => new("--adapter")
    {
        Description = "An adapter to put on the base model that --model names: a PEFT folder, a run folder, a .gguf file, or the registered name of one.",
        HelpName = "ADAPTER",
    };

    public static Option<bool> Raw() => new("--raw") { Description = "Do not put the text through the model's chat template." };

    public static Option<string?> System() => new("--system") { Description = "A system message before the prompt. Default: the one that the run was trained with.", HelpName = "TEXT" };

    public static Option<int?> Threads() => Whole("--threads", "Threads to compute with (default, and 0: one per core).", atLeast: 0);

    /// <summary>A file that a user names; whether it is there is checked where it is read, which says more.</summary>
    public static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    /// <summary>An option with a whole number.</summary>
    public static Option<int?> Whole(string name, string description, int atLeast = int.MinValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Parse<int>(result, NumberStyles.AllowLeadingSign, atLeast == int.MinValue ? "a whole number" : $"a whole number, at least {atLeast}", atLeast),
    };

    /// <summary>An option with a number, always with a decimal point: "1,5" is an error, not fifteen.</summary>
    public static Option<double?> Number(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => Parse<double>(result, NumberStyles.Float, "a number, such as 0.5 or 1e-3", double.NegativeInfinity),
    };

    private static T? Parse<T>(ArgumentResult result, NumberStyles style, string right, T atLeast)
        where T : struct, System.Numerics.INumber<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, style, CultureInfo.InvariantCulture, out var value) && (value >= atLeast || T.IsNaN(value)))
        {
            return value;
        }

        result.AddError($"{(result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name} is '{text}'; give {right}.");
        return null;
    }
}
