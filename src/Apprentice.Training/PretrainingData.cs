using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Registry;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>The documents of a pretraining, which are encoded as they are read: as examples they would fill the memory.</summary>
internal sealed class PretrainingData : TrainingData
{
    private readonly TokenCorpus _train;
    private readonly TokenCorpus? _warmup;
    private readonly TokenCorpus? _anneal;
    private readonly TokenCorpus? _validation;

    private PretrainingData(TokenCorpus train, TokenCorpus? warmup, TokenCorpus? anneal, TokenCorpus? validation) =>
        (_train, _warmup, _anneal, _validation) = (train, warmup, anneal, validation);

    public override DataFacts Facts => new(_train.Documents, _validation?.Documents, _train.Tokens);

    /// <exception cref="InputException">A file is missing or a record is not sound; names file, line and field.</exception>
    public static new PretrainingData Read(Recipe recipe, ModelText text, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var encoder = text.CorpusEncoder(recipe.Raw ?? false);
        return new PretrainingData(
            Encode(recipe.Data ?? [], "data")!,
            Encode(recipe.WarmupData ?? [], "warm-up"),
            Encode(recipe.Anneal ?? [], "anneal"),
            Encode(recipe.Validation?.File is { } held ? [held] : [], "validation"));

        TokenCorpus? Encode(IReadOnlyList<string> files, string name)
        {
            var told = 0;
            return files.Count == 0 ? null : encoder.Encode(
                files, FormatOf(recipe.Format ?? DataFormat.Auto), recipe.Columns, recipe.Threads ?? 0, Tell, cancellation);

            void Tell(double share)
            {
                var tenths = (int)(share * 10);
                if (tenths > told)
                {
                    told = tenths;
                    progress?.Report(new TrainingProgress { Step = 0, TotalSteps = 0, Message = $"{name}: {10 * tenths}% encoded" });
                }
            }
        }
    }

    public override TrainingSet Encode(ResolvedRecipe recipe, ModelText text) => new CorpusSet(recipe, _train, _warmup, _anneal, _validation);

    public override string? SplitHash(ResolvedRecipe recipe) => null;
}
