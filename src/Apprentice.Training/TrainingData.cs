using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.Datasets;
using Apprentice.Models.Registry;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>The examples of a run, read and split; encoded once the recipe is resolved.</summary>
public sealed class TrainingData
{
    private readonly IReadOnlyList<Example> _all;
    private readonly IReadOnlyList<Example>? _validation;

    private TrainingData(IReadOnlyList<Example> all, IReadOnlyList<Example>? validation, string format)
    {
        (_all, _validation, Format) = (all, validation, format);
    }

    /// <summary>What the data look like, for the user.</summary>
    public string Format { get; }

    public DataFacts Facts => new(_all.Count, _validation?.Count);

    /// <exception cref="InputException">A file is missing or a record is not sound; names file, line and field.</exception>
    public static TrainingData Read(Recipe recipe)
    {
        var format = FormatOf(recipe.Format ?? DataFormat.Auto);
        var sets = (recipe.Data ?? []).Select(file => DatasetReader.Read(file, format, recipe.Columns)).ToArray();
        var validation = recipe.Validation?.File is { } held ? DatasetReader.Read(held, format, recipe.Columns).Examples : null;
        return new TrainingData(
            [.. sets.SelectMany(s => s.Examples)], validation, string.Join(", ", sets.Select(s => s.Format.Describe()).Distinct()));
    }

    /// <summary>Training and validation examples as tokens.</summary>
    /// <exception cref="InputException">Examples are too long, or nothing of one would be learned.</exception>
    public (EncodedDataset Train, EncodedDataset? Validation) Encode(ResolvedRecipe recipe, ModelText text)
    {
        var encoder = text.ExampleEncoder(recipe.Raw);
        var (train, validation) = Split(recipe);
        return (
            encoder.EncodeAll(WithSystem(train, recipe.System), recipe.MaxLength, recipe.OverLong),
            validation.Count == 0 ? null : encoder.EncodeAll(WithSystem(validation, recipe.System), recipe.MaxLength, recipe.OverLong));
    }

    /// <summary>Hash of which lines are trained on and which are held out.</summary>
    public string SplitHash(ResolvedRecipe recipe)
    {
        var (train, validation) = Split(recipe);
        string Lines(IEnumerable<Example> examples) => string.Join(',', examples.Select(e => $"{Path.GetFileName(e.File)}:{e.Line}"));
        return RunLock.HashText($"{Lines(train)}|{Lines(validation)}");
    }

    private (IReadOnlyList<Example> Train, IReadOnlyList<Example> Validation) Split(ResolvedRecipe recipe)
    {
        // Test examples go first: they are never seen, neither by training nor by early stopping.
        var seed = (ulong)recipe.Seed;
        var train = _all;
        var test = recipe.Test.TakenFrom(_all.Count);
        if (test > 0)
        {
            train = Data.Datasets.Split.ByCount(train, test, seed).Train;
        }

        if (_validation is not null)
        {
            return (train, _validation);
        }

        var count = recipe.Validation.TakenFrom(_all.Count);
        if (count == 0)
        {
            return (train, []);
        }

        var split = Data.Datasets.Split.ByCount(train, count, seed);
        return (split.Train, split.Validation);
    }

    private static IReadOnlyList<Example> WithSystem(IReadOnlyList<Example> examples, string? system) =>
        system is null ? examples : [.. examples.Select(e => e.WithSystem(system))];

    private static DatasetFormat? FormatOf(DataFormat format) => format switch
    {
        DataFormat.Chat => DatasetFormat.Chat,
        DataFormat.PromptCompletion => DatasetFormat.PromptCompletion,
        DataFormat.Instruction => DatasetFormat.Instruction,
        DataFormat.Sharegpt => DatasetFormat.ShareGpt,
        DataFormat.Text => DatasetFormat.Text,
        _ => null,
    };
}
