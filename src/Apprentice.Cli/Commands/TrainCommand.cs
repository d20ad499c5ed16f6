using System.CommandLine;
using Apprentice.Cli.LiveView;
using Apprentice.Data;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary><c>train</c>: from a recipe, from options, or from a recipe that options change. Every field is an option.</summary>
internal static class TrainCommand
{
    /// <summary>Trains. When cancelled it finishes the step, saves and returns with status paused.</summary>
    public delegate Task<TrainingSummary> Work(Recipe recipe, IProgress<TrainingProgress> progress, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work train)
    {
        var file = new Argument<string?>("RECIPE")
        {
            Description = "A recipe (YAML), or a folder with a recipe.yaml in it, at which its paths then start. Options given beside it win.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var options = RecipeField.All.Select(field => (field, option: Option(field))).ToList();
        var verb = new Verb(
            "train",
            "Fine-tune a model on your examples.",
            "apprentice train --model base.gguf --data tickets.jsonl --out runs/tickets\napprentice train recipe.yaml --learning-rate 5e-4")
        {
            file,
        };
        foreach (var (_, option) in options)
        {
            verb.Add(option);
        }

        verb.SetAction(async (parsed, cancel) =>
        {
            var recipe = Recipe.FromOptions(options.SelectMany(o => Given(parsed, o.field, o.option)));
            if (parsed.GetValue(file) is { } path)
            {
                RequireRecipe(path);
                recipe = Recipe.Load(path).Merge(recipe);
            }

            Require(recipe.Model is not null, "model", "a .gguf file, a Hugging Face folder, a registered name, or base");
            Require(recipe.Data is not null, "data", "a JSONL file of examples");
            return RunReport.Print(terminal, await TrainingView.ShowAsync(terminal, progress => train(recipe, progress, cancel)));
        });
        return verb;
    }

    /// <summary>The option of a recipe's field. It takes text: the recipe's own reader says what is wrong with a value.</summary>
    private static Option Option(RecipeField field)
    {
        // Only a flag may stand alone, and takes no other word after it than true and false.
        Option option = field.Type == typeof(bool) ? new Option<bool>(field.Option) : new Option<string[]>(field.Option);
        option.Description = field.IsRequired ? field.Help : $"{field.Help} Default: {field.Default}.";
        option.HelpName = field.Choices.Count > 0 ? string.Join('|', field.Choices)
            : field.Type == typeof(int) ? "N"
            : field.Type == typeof(double) ? "X"
            : "VALUE";
        return option;
    }

    private static IEnumerable<KeyValuePair<string, string>> Given(ParseResult parsed, RecipeField field, Option option)
    {
        if (parsed.GetResult(option) is not { Implicit: false } result)
        {
            return [];
        }

        IEnumerable<string> values = result.Tokens.Count > 0 ? result.Tokens.Select(t => t.Value) : ["true"];
        return values.Select(value => KeyValuePair.Create(field.Option, value));
    }

    /// <summary>A model or data in the place of the recipe would fail as bad YAML.</summary>
    private static void RequireRecipe(string path)
    {
        var (what, option) = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".gguf" or ".safetensors" => ("a model", "--model"),
            ".jsonl" or ".json" or ".csv" or ".tsv" => ("data", "--data"),
            _ => (null, null),
        };
        if (what is not null)
        {
            throw new InputException("bad_usage", $"this is {what}, and a recipe (YAML) was expected", path, hint: $"give it as {option} {path}");
        }
    }

    private static void Require(bool given, string field, string what)
    {
        if (!given)
        {
            throw new InputException("bad_usage", $"there is no {field}: give --{field} ({what}), or a recipe that names it");
        }
    }
}
