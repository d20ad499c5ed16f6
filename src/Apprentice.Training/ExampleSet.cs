using Apprentice.Data.Batching;
using Apprentice.Training.Recipes;

namespace Apprentice.Training;

/// <summary>The examples of a fine-tuning: a step takes so many of them, each epoch all of them in an order of its own.</summary>
/// <param name="format">What the data look like, for the user.</param>
public sealed class ExampleSet(ResolvedRecipe recipe, EncodedDataset train, EncodedDataset? validation, string format) : TrainingSet
{
    private readonly BatchOrder _order = new(train.Examples.Count, recipe.BatchSize, (ulong)recipe.Seed);

    public override int TotalSteps => recipe.TotalSteps(train.Examples.Count);

    public override int ClosingSteps => _order.StepsPerEpoch;

    public override int Longest { get; } = train.Examples.Max(e => e.Ids.Length);

    public override long LargestStep => (long)Longest * recipe.BatchSize;

    public override IReadOnlyList<TokenizedExample> Validation => validation?.Examples ?? [];

    public override string Description
    {
        get
        {
            var tokens = train.Examples.Sum(e => (long)e.Ids.Length);
            var supervised = train.Examples.Sum(e => (long)e.Supervised);
            var cut = train.Truncated + train.Dropped == 0 ? "" : $"; {train.Truncated} truncated, {train.Dropped} dropped for being too long";
            return FormattableString.Invariant($"{train.Examples.Count} examples ({format}), {tokens:N0} tokens, {supervised:N0} of them learned{cut}");
        }
    }

    public override IReadOnlyList<TokenizedExample> Step(int step)
    {
        var examples = new List<TokenizedExample>();
        foreach (var index in _order.Step(step))
        {
            examples.Add(train.Examples[index]);
        }

        return examples;
    }

    public override double EpochsAfter(int steps) => (double)steps / _order.StepsPerEpoch;
}
