using Apprentice.Data.Batching;
using Apprentice.Models.Weights;
using Apprentice.Training.Schedules;

namespace Apprentice.Training.Recipes;

/// <summary>
/// A recipe with every default written out: what a run is started from, and its <c>recipe.yaml</c>. The fields are
/// those of <see cref="Recipe"/>, where they are described.
/// </summary>
public sealed record ResolvedRecipe
{
    public required string Model { get; init; }
    public required IReadOnlyList<string> Data { get; init; }
    public required IReadOnlyList<string>? WarmupData { get; init; }

    public required IReadOnlyList<string>? Anneal { get; init; }
    public required HeldOut Validation { get; init; }
    public required HeldOut Test { get; init; }
    public required string Out { get; init; }
    public required string? Suffix { get; init; }
    public required DataFormat Format { get; init; }
    public required IReadOnlyDictionary<string, string> Columns { get; init; }
    public required bool Raw { get; init; }
    public required string? System { get; init; }
    public required int MaxLength { get; init; }
    public required LongExamples OverLong { get; init; }
    public required TrainingMethod Method { get; init; }
    public required int Rank { get; init; }
    public required double Alpha { get; init; }
    public required double Dropout { get; init; }
    public required IReadOnlyList<string> Targets { get; init; }
    public required bool Rslora { get; init; }
    public required IReadOnlyList<string>? ModulesToSave { get; init; }
    public required BiasTraining Bias { get; init; }
    public required IReadOnlyDictionary<string, int> RankPattern { get; init; }
    public required IReadOnlyDictionary<string, double> AlphaPattern { get; init; }
    public required double LearningRate { get; init; }
    public required double LoraPlusRatio { get; init; }
    public required ScheduleKind Schedule { get; init; }
    public required Amount Warmup { get; init; }
    public required Amount Decay { get; init; }
    public required double MinLearningRate { get; init; }
    public required double Epochs { get; init; }
    public required int MaxSteps { get; init; }
    public required int BatchTokens { get; init; }
    public required int BatchSize { get; init; }
    public required OptimizerKind Optimizer { get; init; }
    public required double Beta1 { get; init; }
    public required double Beta2 { get; init; }
    public required double Epsilon { get; init; }
    public required double Momentum { get; init; }
    public required double WeightDecay { get; init; }
    public required double Clip { get; init; }
    public required double LabelSmoothing { get; init; }
    public required int Seed { get; init; }
    public required string Metric { get; init; }
    public required int EvaluateEvery { get; init; }
    public required int EarlyStopping { get; init; }
    public required int CheckpointEvery { get; init; }
    public required int KeepCheckpoints { get; init; }
    public required int Threads { get; init; }
    public required int MicroBatchTokens { get; init; }
    public required RecomputePolicy Recompute { get; init; }
    public required bool SharePrefixes { get; init; }
    public required AcceleratorPolicy Accelerator { get; init; }

    /// <summary>Optimizer steps of the whole run over so many training examples, or tokens for pretrain. The last batch of an epoch may be smaller.</summary>
    public int TotalSteps(long examples) => TotalSteps(examples, Method == TrainingMethod.Pretrain ? BatchTokens : BatchSize, Epochs, MaxSteps);

    /// <summary>The schedule of a run of so many steps.</summary>
    public Schedule CreateSchedule(int totalSteps)
    {
        var warmup = Warmup.Of(totalSteps);
        var decay = Decay.Of(totalSteps);
        return Schedule switch
        {
            ScheduleKind.Cosine => new CosineSchedule(warmup, totalSteps, MinLearningRate),
            ScheduleKind.Linear => new LinearSchedule(warmup, totalSteps, MinLearningRate),
            ScheduleKind.Constant => new ConstantSchedule(warmup),
            ScheduleKind.Wsd => new WarmupStableDecaySchedule(warmup, Math.Max(0, totalSteps - warmup - decay), decay, MinLearningRate),
            _ => throw new InvalidOperationException($"unknown schedule {Schedule}"),
        };
    }

    /// <summary>The step from which the learning rate falls at the end of a run under wsd; the end where it does not.</summary>
    public int DecayStart(int totalSteps) => Schedule == ScheduleKind.Wsd ? Math.Max(0, totalSteps - Decay.Of(totalSteps)) : totalSteps;

    /// <summary>As YAML with a comment for each field; <see cref="Recipe.Parse"/> reads it back to the same recipe.</summary>
    public string ToYaml() => RecipeWriter.ToYaml(this);

    internal static int TotalSteps(long examples, int batchSize, double epochs, int maxSteps)
    {
        var stepsAnEpoch = (examples + batchSize - 1) / batchSize;
        var steps = Math.Max(1, Math.Min(Math.Ceiling(epochs * stepsAnEpoch), int.MaxValue));
        return maxSteps > 0 ? (int)Math.Min(steps, maxSteps) : (int)steps;
    }
}
