using Apprentice.Data;
using Apprentice.Training.Runs;

namespace Apprentice.Training.Recipes;

/// <content>Where a recipe comes from: a file, options, or one over the other.</content>
public sealed partial record Recipe
{
    /// <summary>Where each field came from, for errors that show up only once everything is known.</summary>
    private Dictionary<string, (string? File, long? Line)> origins = [];

    /// <summary>Reads a recipe file, or the <c>recipe.yaml</c> of a folder, whose relative paths then start at that folder.</summary>
    /// <exception cref="InputException">Names file, line, field and what would be right.</exception>
    public static Recipe Load(string path) => Directory.Exists(path) ? LoadFolder(path) : RecipeReader.Load(path);

    /// <summary>Reads a recipe from YAML text; <paramref name="file"/> is for errors only.</summary>
    /// <exception cref="InputException">Names file, line, field and what would be right.</exception>
    public static Recipe Parse(string yaml, string? file = null) => RecipeReader.Parse(yaml, file);

    /// <summary>
    /// A recipe from command-line options. Names as in <see cref="RecipeField.Name"/> or <see cref="RecipeField.Option"/>;
    /// fields with many values take several uses, and commas within one (not in --data).
    /// </summary>
    /// <exception cref="InputException">Code <c>bad_option</c>; names the option and what would be right.</exception>
    public static Recipe FromOptions(IEnumerable<KeyValuePair<string, string>> options)
    {
        var recipe = new Recipe();
        foreach (var uses in options.GroupBy(o => o.Key.TrimStart('-').Replace('-', '_'), o => o.Value, StringComparer.Ordinal))
        {
            var field = RecipeField.Find(uses.Key)
                ?? throw new InputException("bad_option", $"there is no option --{uses.Key.Replace('_', '-')}", hint: RecipeReader.DidYouMean(uses.Key));
            try
            {
                recipe.Set(field, FieldValue.FromOption(field, [.. uses]).ConvertTo(field), null, null);
            }
            catch (FormatException e)
            {
                throw new InputException("bad_option", $"{field.Option} is '{string.Join("', '", uses)}'; it must be {e.Message}");
            }
        }

        return recipe;
    }

    /// <summary>This recipe, except where <paramref name="overrides"/> says something: command-line options win.</summary>
    public Recipe Merge(Recipe overrides)
    {
        var merged = this with { origins = new(origins, StringComparer.Ordinal) };
        foreach (var field in RecipeField.All)
        {
            if (field.Get(overrides) is { } value)
            {
                var (file, line) = overrides.origins.GetValueOrDefault(field.Name);
                merged.Set(field, value, file, line);
            }
        }

        return merged;
    }

    private static Recipe LoadFolder(string folder)
    {
        var file = Path.Combine(folder, "recipe.yaml");
        if (RunFolder.IsRun(folder))
        {
            throw new InputException("run_exists", "this folder is a run, and a run is never overwritten", folder,
                hint: $"go on with it: apprentice resume {folder}; or again with changes: apprentice train {file} --out runs/NEW");
        }

        if (!File.Exists(file))
        {
            throw new InputException("file_not_found", "this folder has no recipe.yaml in it", folder, hint: "apprentice new DIR makes a folder with a recipe to start from");
        }

        var recipe = RecipeReader.Load(file);
        return recipe with
        {
            // A model can also be a name, which is no path.
            Model = recipe.Model is { } model && Path.Exists(In(model)) ? In(model) : recipe.Model,
            Data = AllIn(recipe.Data),
            WarmupData = AllIn(recipe.WarmupData),
            Anneal = AllIn(recipe.Anneal),
            Validation = Held(recipe.Validation),
            Test = Held(recipe.Test),
            Out = In(recipe.Out ?? RecipeDefaults.OutFor(recipe.Data)),
        };

        string In(string path) => Path.Combine(folder, path);

        IReadOnlyList<string>? AllIn(IReadOnlyList<string>? files) => files?.Select(In).ToArray();

        HeldOut? Held(HeldOut? part) => part?.File is { } path ? HeldOut.FromFile(In(path)) : part;
    }

    /// <summary>An error about a field, with the place where it was given.</summary>
    internal InputException Error(string code, string field, string message, string? hint = null)
    {
        var (file, line) = origins.GetValueOrDefault(field);
        return new(code, message, file, line, hint);
    }

    internal void Set(RecipeField field, object value, string? file, long? line)
    {
        field.Property.SetValue(this, value);
        origins[field.Name] = (file, line);
    }
}
