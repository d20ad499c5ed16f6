using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.Datasets;
using Apprentice.Models.Registry;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>The data of a run as far as it is known before the recipe is resolved.</summary>
public abstract class TrainingData
{
    /// <summary>What defaults depend on.</summary>
    public abstract DataFacts Facts { get; }

    /// <summary>Reads the data that the recipe names.</summary>
    /// <exception cref="InputException">A file is missing or a record is not sound; names file, line and field.</exception>
    public static TrainingData Read(Recipe recipe, ModelText text, IProgress<TrainingProgress>? progress, CancellationToken cancellation) =>
        recipe.Method == TrainingMethod.Pretrain ? PretrainingData.Read(recipe, text, progress, cancellation) : FineTuningData.Read(recipe);

    /// <summary>The examples that the recipe keeps for the final judgement; none where it keeps none.</summary>
    /// <exception cref="InputException">A file is missing or a record is not sound; names file, line and field.</exception>
    public static IReadOnlyList<Example> ReadTest(Recipe recipe)
    {
        if (recipe.Test?.File is { } file)
        {
            return ReadFile(file, recipe).Examples;
        }

        return recipe.Test is null || recipe.Test == HeldOut.None
            ? []
            : WithoutTest([.. (recipe.Data ?? []).SelectMany(data => ReadFile(data, recipe).Examples)], recipe.Test, recipe.Seed ?? RecipeDefaults.Seed).Validation;
    }

    /// <summary>Training and validation examples as tokens.</summary>
    /// <exception cref="InputException">Examples are too long, or nothing of one would be learned.</exception>
    public abstract TrainingSet Encode(ResolvedRecipe recipe, ModelText text);

    /// <summary>Hash of which lines are trained on and which are held out; null where whole files are.</summary>
    public abstract string? SplitHash(ResolvedRecipe recipe);

    /// <summary>What is left, and what is kept as test.</summary>
    protected static Split WithoutTest(IReadOnlyList<Example> all, HeldOut test, int seed) =>
        test.TakenFrom(all.Count) is > 0 and var count ? Split.ByCount(all, count, (ulong)seed) : new Split(all, []);

    protected static Dataset ReadFile(string file, Recipe recipe) => DatasetReader.Read(file, FormatOf(recipe.Format ?? DataFormat.Auto), recipe.Columns);

    public static DatasetFormat? FormatOf(DataFormat format) => format switch
    {
        DataFormat.Chat => DatasetFormat.Chat,
        DataFormat.PromptCompletion => DatasetFormat.PromptCompletion,
        DataFormat.Instruction => DatasetFormat.Instruction,
        DataFormat.Sharegpt => DatasetFormat.ShareGpt,
        DataFormat.Text => DatasetFormat.Text,
        DataFormat.Preference => DatasetFormat.Preference,
        _ => null,
    };
}

/// <summary>The examples of a fine-tuning, read and split; encoded once the recipe is resolved.</summary>
internal sealed class FineTuningData : TrainingData
{
    private readonly string _format;
    private readonly IReadOnlyList<Example> _all;
    private readonly IReadOnlyList<Example>? _validation;

    private FineTuningData(IReadOnlyList<Example> all, IReadOnlyList<Example>? validation, string format)
    {
        (_all, _validation, _format) = (all, validation, format);
    }

    public override DataFacts Facts => new(_all.Count, _validation?.Count);

    public static FineTuningData Read(Recipe recipe)
    {
        var sets = (recipe.Data ?? []).Select(file => ReadFile(file, recipe)).ToArray();
        var validation = recipe.Validation?.File is { } held ? ReadFile(held, recipe).Examples : null;
        if (recipe.Test?.File is { } test)
        {
            ReadFile(test, recipe); // what is wrong with it is better known before the training than after it
        }

        return new FineTuningData(
            [.. sets.SelectMany(s => s.Examples)], validation, string.Join(", ", sets.Select(s => s.Description).Distinct()));
    }

    public override TrainingSet Encode(ResolvedRecipe recipe, ModelText text)
    {
        var encoder = text.ExampleEncoder(recipe.Raw);
        var (train, validation) = Split(recipe);
        return new ExampleSet(
            recipe,
            encoder.EncodeAll(WithSystem(train, recipe.System), recipe.MaxLength, recipe.OverLong),
            validation.Count == 0 ? null : encoder.EncodeAll(WithSystem(validation, recipe.System), recipe.MaxLength, recipe.OverLong),
            _format);
    }

    public override string? SplitHash(ResolvedRecipe recipe)
    {
        var (train, validation) = Split(recipe);
        string Lines(IEnumerable<Example> examples) => string.Join(',', examples.Select(e => $"{Path.GetFileName(e.File)}:{e.Line}"));
        return RunLock.HashText($"{Lines(train)}|{Lines(validation)}");
    }

    private (IReadOnlyList<Example> Train, IReadOnlyList<Example> Validation) Split(ResolvedRecipe recipe)
    {
        // Test examples go first: they are never seen, neither by training nor by early stopping.
        var train = WithoutTest(_all, recipe.Test, recipe.Seed).Train;
        if (_validation is not null)
        {
            return (train, _validation);
        }

        var count = recipe.Validation.TakenFrom(_all.Count);
        if (count == 0)
        {
            return (train, []);
        }

        var split = Data.Datasets.Split.ByCount(train, count, (ulong)recipe.Seed);
        return (split.Train, split.Validation);
    }

    private static IReadOnlyList<Example> WithSystem(IReadOnlyList<Example> examples, string? system) =>
        system is null ? examples : [.. examples.Select(e => e.WithSystem(system))];
}
