using Apprentice.Data.Batching;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Data;

namespace Apprentice.Training.Recipes;

/// <summary>What the defaults depend on, of the model.</summary>
/// <param name="Parameters">Weights in all.</param>
/// <param name="ContextLength">Tokens that the model can attend over.</param>
public sealed record ModelFacts(long Parameters, int ContextLength);

/// <summary>What the defaults depend on, of the data.</summary>
/// <param name="Examples">In the data files, before validation and test examples are taken away.</param>
/// <param name="ValidationExamples">In the validation file, where there is one.</param>
/// <param name="Tokens">Of a corpus to pretrain on.</param>
public sealed record DataFacts(int Examples, int? ValidationExamples = null, long Tokens = 0);

/// <summary>Fills in what a recipe does not say, as someone would who has done it often; each choice has its reason beside it.</summary>
public static class RecipeDefaults
{
    /// <summary>Of a recipe that names none.</summary>
    public const int Seed = 1;

    /// <summary>Of LoRA's matrices.</summary>
    public const int Rank = 16;

    public static Amount Decay { get; } = Amount.Share(0.2);

    /// <exception cref="InputException">A field is missing, or does not fit model, data or another field.</exception>
    public static ResolvedRecipe Resolve(this Recipe recipe, ModelFacts model, DataFacts data)
    {
        var modelName = recipe.Model ?? throw Missing("model", "base.gguf");
        var files = recipe.Data ?? throw Missing("data", "examples.jsonl");
        if (data.Examples < 1)
        {
            throw recipe.Error("no_examples", "data", "the data has no examples");
        }

        if (recipe.Suffix is { } suffix && ModelName.Part(suffix) is var plain && plain != suffix)
        {
            throw recipe.Error("bad_value", "suffix", "suffix must be up to 40 letters, digits and . _ - between them", plain is null ? null : $"such as {plain}");
        }

        if (recipe.Method == TrainingMethod.Pretrain)
        {
            recipe = PretrainingDefaults.Fill(recipe, model, data);
        }
        else if (recipe.WarmupData is not null || recipe.Anneal is not null || recipe.BatchTokens > 0)
        {
            var field = recipe.WarmupData is not null ? "warmup_data" : recipe.Anneal is not null ? "anneal" : "batch_tokens";
            throw recipe.Error("bad_value", field, $"{field} is for pretraining only", "give --method pretrain, or leave it out");
        }

        // A tenth tells enough about the loss, and beyond 200 examples it only costs time. From fewer than 10 examples
        // none can be spared.
        var validation = recipe.Validation ?? HeldOut.FromCount(data.Examples < 10 ? 0 : Math.Clamp((int)Math.Round(data.Examples / 10.0), 1, 200));
        var test = recipe.Test ?? HeldOut.None;
        var training = data.Examples - validation.TakenFrom(data.Examples) - test.TakenFrom(data.Examples);
        if (training < 1)
        {
            throw recipe.Error("bad_split", recipe.Validation is null ? "test" : "validation",
                $"of {data.Examples} examples {validation.TakenFrom(data.Examples)} are for validation and {test.TakenFrom(data.Examples)} for the test: none is left to train on");
        }

        var validationExamples = validation.File is null ? validation.TakenFrom(data.Examples) : data.ValidationExamples ?? 200;
        var method = recipe.Method ?? TrainingMethod.Lora;
        var maxLength = recipe.MaxLength ?? Math.Min(2048, model.ContextLength);
        if (maxLength > model.ContextLength)
        {
            throw recipe.Error("bad_max_length", "max_length", $"max_length is {maxLength}; this model's context is {model.ContextLength} tokens");
        }

        var schedule = recipe.Schedule ?? ScheduleKind.Cosine;
        if (schedule == ScheduleKind.Constant && recipe.MinLearningRate > 0)
        {
            throw recipe.Error("bad_value", "min_learning_rate", "a constant learning rate does not fall: leave min_learning_rate out, or take another schedule");
        }

        var optimizer = recipe.Optimizer ?? OptimizerKind.Adamw;
        var rank = recipe.Rank ?? Rank;
        var rslora = recipe.Rslora ?? false;

        // Few examples in batches of 16 would be too few steps to learn anything in.
        var batch = recipe.BatchSize ?? (training >= 128 ? 16 : training >= 48 ? 8 : 4);
        var maxSteps = recipe.MaxSteps ?? 0;
        var epochs = recipe.Epochs ?? (maxSteps > 0 ? Math.Min(10_000, Math.Ceiling(maxSteps / Math.Ceiling((double)training / batch))) : EpochsFor(training));
        var steps = ResolvedRecipe.TotalSteps(training, batch, epochs, maxSteps);
        var evaluateEvery = recipe.EvaluateEvery ?? EvaluateEvery(steps, batch, validationExamples);

        return new ResolvedRecipe
        {
            Model = modelName,
            Data = files,
            WarmupData = recipe.WarmupData,
            Anneal = recipe.Anneal,
            Validation = validation,
            Test = test,
            Out = recipe.Out ?? OutFor(files),
            Suffix = recipe.Suffix,
            Format = recipe.Format ?? DataFormat.Auto,
            Columns = recipe.Columns ?? new Dictionary<string, string>(StringComparer.Ordinal),
            Raw = recipe.Raw ?? false,
            System = recipe.System,
            MaxLength = maxLength,
            OverLong = recipe.OverLong ?? LongExamples.Stop,
            Method = method,
            Rank = rank,
            // The factor on what the matrices add is 2 either way; rank and learning rate can then be changed apart.
            Alpha = recipe.Alpha ?? (rslora ? 2 * Math.Sqrt(rank) : 2 * rank),
            Dropout = recipe.Dropout ?? 0,
            // All layers: attention alone learns visibly less at the same number of trained weights.
            Targets = recipe.Targets ?? ["all-linear"],
            Rslora = rslora,
            ModulesToSave = recipe.ModulesToSave,
            Bias = recipe.Bias ?? BiasTraining.None,
            RankPattern = recipe.RankPattern ?? new Dictionary<string, int>(StringComparer.Ordinal),
            AlphaPattern = recipe.AlphaPattern ?? new Dictionary<string, double>(StringComparer.Ordinal),
            LearningRate = recipe.LearningRate ?? LearningRate(method, optimizer, model.Parameters),
            LoraPlusRatio = recipe.LoraPlusRatio ?? 1,
            Schedule = schedule,
            Warmup = recipe.Warmup ?? Amount.Share(0.1),
            Decay = recipe.Decay ?? Decay,
            MinLearningRate = recipe.MinLearningRate ?? 0,
            Epochs = epochs,
            MaxSteps = maxSteps,
            BatchTokens = recipe.BatchTokens ?? 0,
            BatchSize = batch,
            Optimizer = optimizer,
            Beta1 = recipe.Beta1 ?? 0.9,
            Beta2 = recipe.Beta2 ?? 0.999,
            Epsilon = recipe.Epsilon ?? 1e-8,
            Momentum = recipe.Momentum ?? (optimizer == OptimizerKind.Muon ? 0.95 : 0.9),
            // Low rank regularises already, and decay pulls an adapter towards the base, which early stopping does better.
            WeightDecay = recipe.WeightDecay ?? (method == TrainingMethod.Full ? 0.01 : 0),
            Clip = recipe.Clip ?? 1,
            LabelSmoothing = recipe.LabelSmoothing ?? 0,
            Seed = recipe.Seed ?? Seed,
            Metric = recipe.Metric ?? "loss",
            EvaluateEvery = evaluateEvery,
            EarlyStopping = recipe.EarlyStopping ?? (validationExamples < 20 ? 0 : 3),
            CheckpointEvery = recipe.CheckpointEvery ?? (evaluateEvery > 0 ? evaluateEvery : TenthOf(steps)),
            KeepCheckpoints = recipe.KeepCheckpoints ?? 2,
            Threads = recipe.Threads ?? 0,
            MicroBatchTokens = recipe.MicroBatchTokens ?? 0,
            Recompute = recipe.Recompute ?? RecomputePolicy.Auto,
            SharePrefixes = recipe.SharePrefixes ?? true,
            Accelerator = recipe.Accelerator ?? AcceleratorPolicy.Auto,
        };

        InputException Missing(string field, string example) =>
            recipe.Error("missing_field", field, $"the recipe has no {field}", $"add {field}: {example}, or give --{field}");
    }

    /// <summary>
    /// Larger models need smaller steps. LoRA starts from a B of zeros and bears about ten times the rate of full
    /// training, which moves weights that already know something.
    /// </summary>
    private static double LearningRate(TrainingMethod method, OptimizerKind optimizer, long parameters) => (method, optimizer) switch
    {
        // SGD's steps scale with the gradient, which clipping bounds at 1, and not with the model.
        (_, OptimizerKind.Sgd) => 0.01,
        (TrainingMethod.Lora or TrainingMethod.Dora, _) => parameters switch
        {
            <= 200_000_000 => 1e-3,
            <= 600_000_000 => 7e-4,
            <= 2_000_000_000 => 5e-4,
            <= 5_000_000_000 => 3e-4,
            <= 15_000_000_000 => 2e-4,
            _ => 1e-4,
        },
        _ => parameters switch
        {
            <= 200_000_000 => 1e-4,
            <= 600_000_000 => 5e-5,
            <= 2_000_000_000 => 2e-5,
            _ => 1e-5,
        },
    };

    /// <summary>Few examples must be seen more often to be learned at all; many are overlearned soon. Early stopping mends too many.</summary>
    private static double EpochsFor(int examples) => examples switch
    {
        < 100 => 8,
        < 500 => 6,
        < 2_000 => 4,
        < 10_000 => 3,
        < 50_000 => 2,
        _ => 1,
    };

    /// <summary>
    /// Ten times a run, but seldom enough that it costs no more than about a tenth of the time: a forward pass is a
    /// third of a training step's work.
    /// </summary>
    private static int EvaluateEvery(int steps, int batch, int validationExamples) =>
        validationExamples == 0 ? 0 : Math.Min(steps, Math.Max(TenthOf(steps), (int)Math.Ceiling(validationExamples / 3.0 / batch * 10)));

    private static int TenthOf(int steps) => (steps + 9) / 10;

    /// <summary>The run's folder where none is named: after the first data file.</summary>
    internal static string OutFor(IReadOnlyList<string>? data) =>
        "runs/" + (Path.GetFileNameWithoutExtension(data?.FirstOrDefault()) is { Length: > 0 } name ? name : "run");
}
