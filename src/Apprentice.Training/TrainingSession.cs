using System.Diagnostics;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.Files;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;
using Apprentice.Training.Schedules;

namespace Apprentice.Training;

/// <summary>
/// The loop of one run: steps, evaluations, early stopping, checkpoints, events. All that a step depends on is a pure
/// function of the recipe and the step's number, so a checkpoint holds weights and moments and nothing else.
/// </summary>
public sealed class TrainingSession : IDisposable
{
    internal const int DefaultMicroBatchTokens = 2048;

    private readonly ResolvedRecipe _recipe;
    private readonly LoadedModel _model;
    private readonly TrainingSet _set;
    private readonly IReadOnlyList<Batch> _validation;
    private readonly TrainedWeights _weights;
    private readonly Optimizer _optimizer;
    private readonly TrainingStep _step;
    private readonly Schedule _schedule;

    private TrainingSession(ResolvedRecipe recipe, LoadedModel model, TrainingSet set)
    {
        _recipe = recipe;
        _model = model;
        _set = set;
        Engine = new Engine(recipe.Threads, accelerate: recipe.Accelerator == AcceleratorPolicy.Auto);
        MicroBatchTokens = recipe.MicroBatchTokens == 0 ? DefaultMicroBatchTokens : recipe.MicroBatchTokens;
        Recompute = recipe.Recompute == RecomputePolicy.On || (recipe.Recompute == RecomputePolicy.Auto && !FitsInMemory());
        SharePrefixes = recipe.SharePrefixes && recipe.Dropout == 0 && recipe.Method != TrainingMethod.Pretrain;
        _validation = StepBatch.Create(set.Validation, MicroBatchTokens, SharePrefixes).MicroBatches;
        _weights = TrainedWeights.Create(recipe, model, recipe.Model);
        _optimizer = CreateOptimizer();
        _step = new TrainingStep(Engine, model.Model, _weights.Adapter, _optimizer, new SupervisedLoss(recipe.LabelSmoothing), recipe.Clip, Recompute);
        _schedule = recipe.CreateSchedule(set.TotalSteps);
    }

    public Engine Engine { get; }

    /// <summary>Most tokens that go through the model at once.</summary>
    public int MicroBatchTokens { get; }

    /// <summary>Whether layers are computed again in backward.</summary>
    public bool Recompute { get; }

    /// <summary>Whether beginnings that examples have in common are computed once.</summary>
    public bool SharePrefixes { get; }

    /// <summary>Optimizer steps done.</summary>
    public int StepsDone { get; private set; }

    /// <summary>Why the run ended as it did, where there is something to say.</summary>
    public string? Reason { get; private set; }

    /// <summary>Encodes the data and sets everything up; nothing is written.</summary>
    public static TrainingSession Create(ResolvedRecipe recipe, LoadedModel model, TrainingData data) =>
        new(recipe, model, data.Encode(recipe, model.Text));

    /// <summary>The first thing to show: what is trained on what.</summary>
    public TrainingProgress Describe(Checkpoint? checkpoint)
    {
        var from = checkpoint is null ? "" : $"; resumed after step {checkpoint.Step}";
        var accelerated = Engine.WhyNoAccelerator is null ? $"; products by {Engine.Accelerator}" : "";
        return new TrainingProgress
        {
            Step = checkpoint?.Step ?? 0,
            TotalSteps = _set.TotalSteps,
            Message = FormattableString.Invariant(
                $"{_set.Description}; {_weights.Weights.Sum(w => w.Count):N0} of {_model.Model.ParameterCount:N0} parameters trained{accelerated}{from}"),
        };
    }

    /// <summary>Trains from the checkpoint, or from the start, to the end of the recipe, early stopping, or cancellation.</summary>
    public TrainingSummary Run(RunFolder run, Checkpoint? checkpoint, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var state = new CheckpointState { Step = 0 };
        if (checkpoint is not null)
        {
            _weights.Load(checkpoint.Path);
            _optimizer.Load(Path.Combine(checkpoint.Path, "optimizer.safetensors"));
            state = checkpoint.State;
        }

        StepsDone = state.Step;
        var store = run.Checkpoints(_recipe.KeepCheckpoints);
        using var events = EventLog.CutAfter(run.EventsFile, checkpoint?.Step ?? -1);
        var clock = new StepClock(_set.TotalSteps, state.Step);
        var stopped = HasStopped(state);
        while (state.Step < _set.TotalSteps && !stopped)
        {
            var (result, examples, rate) = Train(state.Step, clock);
            double? validLoss = IsEvaluation(state.Step + 1) ? Evaluate() : null;
            state = Advance(state, result, validLoss);
            StepsDone = state.Step;
            stopped = HasStopped(state);
            var done = state.Step == _set.TotalSteps || stopped;
            var metrics = Metrics(state, result, rate, validLoss, clock);
            events.Append(metrics);
            var paused = cancellation.IsCancellationRequested && !done;
            if (done || paused || IsCheckpoint(state.Step))
            {
                events.Flush();
                store.Save(state, Save);
                run.WriteState(new RunState(RunStatus.Running, state.Step));
            }

            progress?.Report(clock.Progress(metrics, examples, paused ? "paused: saved" : stopped ? Reason : null));
            if (paused)
            {
                Reason = $"interrupted after step {state.Step}; apprentice resume {run.Path} goes on";
                return Summary(run, RunStatus.Paused, state, clock);
            }
        }

        Publish(run, store);
        return Summary(run, RunStatus.Succeeded, state, clock);
    }

    public void Dispose() => Engine.Dispose();

    private (StepResult Result, int Examples, double Rate) Train(int step, StepClock clock)
    {
        var examples = _set.Step(step);
        var rate = _recipe.LearningRate * _schedule.Multiplier(step);
        DropoutMask? dropout = _recipe.Dropout > 0
            ? new DropoutMask((float)_recipe.Dropout, new CounterRandom((ulong)_recipe.Seed, RandomStream.Dropout, (ulong)step).UInt64(0))
            : null;
        var watch = Stopwatch.StartNew();
        var result = _step.Run(StepBatch.Create(examples, MicroBatchTokens, SharePrefixes), rate, dropout);
        clock.Add(result.Tokens, examples.Count, watch.Elapsed.TotalSeconds);
        return (result, examples.Count, rate);
    }

    private CheckpointState Advance(CheckpointState state, StepResult result, double? validLoss)
    {
        state = state with
        {
            Step = state.Step + 1,
            Epoch = _set.EpochsAfter(state.Step + 1),
            Tokens = state.Tokens + result.Tokens,
        };
        if (validLoss is not { } loss)
        {
            return state;
        }

        // A pretraining ends on other data than it began with, and what it ends with is what is wanted.
        return state.BestValidLoss is { } best && loss >= best && _recipe.Method != TrainingMethod.Pretrain
            ? state with { EvaluationsSinceBest = state.EvaluationsSinceBest + 1 }
            : state with { BestStep = state.Step, BestValidLoss = loss, EvaluationsSinceBest = 0 };
    }

    private bool HasStopped(CheckpointState state)
    {
        if (_recipe.EarlyStopping == 0 || state.EvaluationsSinceBest < _recipe.EarlyStopping)
        {
            return false;
        }

        Reason = FormattableString.Invariant(
            $"stopped early: {state.EvaluationsSinceBest} evaluations without a lower validation loss; the best is {state.BestValidLoss:F4} at step {state.BestStep}");
        return true;
    }

    private bool IsEvaluation(int step) =>
        _validation.Count > 0 && (step == _set.TotalSteps || (_recipe.EvaluateEvery > 0 && step % _recipe.EvaluateEvery == 0));

    // An evaluation may have found the best weights so far, which no later step brings back.
    private bool IsCheckpoint(int step) =>
        IsEvaluation(step) || (_recipe.CheckpointEvery > 0 && step % _recipe.CheckpointEvery == 0);

    private double Evaluate()
    {
        var sum = default(LossSum);
        foreach (var batch in _validation)
        {
            sum += _step.Evaluate(batch);
        }

        var loss = sum.NegativeLogLikelihood / sum.Weight;
        return double.IsFinite(loss) ? loss : throw new RunFailedException(
            "not_finite", $"the validation loss is {loss} after step {_optimizer.Steps}", "lower the learning rate, or look for broken values in the model or the data");
    }

    /// <summary>A validation loss in nats for each byte of text, which models with other tokenizers can be compared by.</summary>
    private double? PerByte(double? loss) => loss * _validation.Sum(batch => batch.TotalWeight) / _set.ValidationBytes;

    private RunEvent Metrics(CheckpointState state, StepResult result, double rate, double? validLoss, StepClock clock) => new()
    {
        Type = RunEventType.Metrics,
        Step = state.Step,
        Epoch = state.Epoch,
        TrainLoss = result.Loss.Objective / result.Loss.Weight,
        ValidLoss = validLoss,
        ValidLossPerByte = PerByte(validLoss),
        Lr = rate,
        GradNorm = result.GradientNorm,
        TokensPerSecond = Math.Round(clock.TokensPerSecond, 1),
    };

    private void Save(string directory)
    {
        _weights.Save(directory);
        _optimizer.Save(Path.Combine(directory, "optimizer.safetensors"));
    }

    /// <summary>The best checkpoint's weights become the run's adapter or model.</summary>
    private void Publish(RunFolder run, CheckpointStore store)
    {
        var best = store.Best() ?? throw new RunFailedException("no_checkpoint", "the run ended without a whole checkpoint");
        var target = _weights.Adapter is null ? run.ModelFolder : run.AdapterFolder;
        AtomicDirectory.Write(target, aside =>
        {
            foreach (var file in Directory.GetFiles(best.Path).Where(f => Path.GetFileName(f) is not ("state.json" or "optimizer.safetensors")))
            {
                File.Copy(file, Path.Combine(aside, Path.GetFileName(file)));
            }
        });
    }

    private TrainingSummary Summary(RunFolder run, RunStatus status, CheckpointState state, StepClock clock)
    {
        // From the log, so that a resumed run says the same as one that was never interrupted.
        var losses = EventLog.Read(run.EventsFile).Where(e => e.TrainLoss is not null).Select(e => e.TrainLoss!.Value);
        return new TrainingSummary(
            run.Path,
            status,
            state.Step,
            state.Epoch,
            losses.TakeLast(_set.ClosingSteps).DefaultIfEmpty(double.NaN).Average(),
            state.BestValidLoss,
            PerByte(state.BestValidLoss),
            clock.MeanExamplesPerSecond,
            clock.MeanTokensPerSecond,
            ProcessMemory.Now().PeakResident,
            0,
            _weights.Weights.Sum(w => w.Count));
    }

    /// <summary>Whether the activations of the largest micro-batch fit into a third of the memory.</summary>
    private Optimizer CreateOptimizer()
    {
        var weights = _weights.Weights.ToArray();
        var adamW = new AdamWSettings(_recipe.Beta1, _recipe.Beta2, _recipe.Epsilon, _recipe.WeightDecay);
        var faster = _weights.Adapter is { } adapter ? adapter.RateFactors(_recipe.LoraPlusRatio) : _ => 1;
        switch (_recipe.Optimizer)
        {
            case OptimizerKind.Sgd:
                return new Sgd(Engine, weights, _recipe.Momentum, _recipe.WeightDecay) { RateFactor = faster };
            case OptimizerKind.Muon:
                var inner = _weights.Adapter is null ? _model.Model.LinearLayers.Select(l => l.Weight) : weights.Where(w => w.Shape.Count > 1);
                return new Muon(Engine, weights, inner.ToHashSet(), _recipe.Momentum, adamW) { RateFactor = faster };
            default:
                return new AdamW(Engine, weights, adamW) { RateFactor = faster };
        }
    }

    private bool FitsInMemory()
    {
        var tokens = Math.Max(_set.Longest, Math.Min(MicroBatchTokens, _set.LargestStep));
        var adapter = _recipe.Method == TrainingMethod.Dora ? _model.Model.LinearLayers.Sum(l => (long)l.Weight.Rows) : 0;
        return new Forecast(_model.Model, trainedParameters: 0, recompute: false, adapter).ActivationBytes(tokens) <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 3;
    }
}
