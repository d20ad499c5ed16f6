using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>What came out of one optimizer step.</summary>
/// <param name="Loss">Of the whole step, before the update.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Tokens">Of the examples, shared ones counted for each.</param>
public readonly record struct StepResult(LossSum Loss, double GradientNorm, int Tokens);

/// <summary>
/// One optimizer step: forward and backward over the micro-batches, one division by the weight of all of them, clipping,
/// update. Knows nothing of epochs, files or schedules.
/// </summary>
/// <param name="adapter">The adapter that is trained, or null for the model's own trainable weights.</param>
/// <param name="clip">Largest gradient norm; 0: no clipping.</param>
/// <param name="recompute">Whether layers are run again in backward instead of kept.</param>
public sealed class TrainingStep(
    Engine engine, LanguageModel model, LoraAdapter? adapter, Optimizer optimizer, SupervisedLoss loss, double clip, bool recompute = false)
{
    private readonly Weight[] _weights = [.. optimizer.Weights];
    private readonly Tape _tape = new(engine, recording: true, recompute);
    private float[] _values = [];
    private float[] _gradient = [];

    /// <summary>Trains on one step's examples.</summary>
    /// <param name="dropout">The mask of this step, or null.</param>
    /// <exception cref="RunFailedException">Loss or gradient is not finite; names step and tensor.</exception>
    public StepResult Run(StepBatch batch, double learningRate, DropoutMask? dropout = null)
    {
        foreach (var weight in _weights)
        {
            ParameterUpdate.ClearGradient(weight);
        }

        var total = default(LossSum);
        var tokens = 0;
        for (var m = 0; m < batch.MicroBatches.Count; m++)
        {
            var micro = batch.MicroBatches[m];
            tokens += micro.ExampleTokens;
            total += Backward(micro, batch.TotalWeight, dropout?.At((ulong)m));
        }

        var step = optimizer.Steps + 1;
        RequireFinite(total.Objective, step);
        var norm = GradientNorm(step);
        optimizer.Step(learningRate, clip > 0 ? Tensors.Ops.GradientNorm.ClipScale(norm, clip) : 1);
        return new StepResult(total, norm, tokens);
    }

    /// <summary>The loss of a batch without training.</summary>
    public LossSum Evaluate(Batch batch)
    {
        using var tape = new Tape(engine, recording: false);
        var values = BatchForward.Run(tape, model, adapter, batch).ToArray();
        return loss.Evaluate(values, batch.Targets, 1, default);
    }

    private LossSum Backward(Batch batch, double totalWeight, DropoutMask? dropout)
    {
        try
        {
            var logProbabilities = BatchForward.Run(_tape, model, adapter, batch, dropout);
            var count = (int)logProbabilities.Count;
            Array.Resize(ref _values, Math.Max(_values.Length, count));
            Array.Resize(ref _gradient, Math.Max(_gradient.Length, count));
            var values = _values.AsSpan(0, count);
            var gradient = _gradient.AsSpan(0, count);
            logProbabilities.CopyTo(0, values);
            var sum = loss.Evaluate(values, batch.Targets, totalWeight, gradient);
            _tape.Backward(logProbabilities, gradient);
            return sum;
        }
        finally
        {
            _tape.Reset();
        }
    }

    private double GradientNorm(int step)
    {
        try
        {
            return Math.Sqrt(Tensors.Ops.GradientNorm.Squared(engine, _weights));
        }
        catch (ArithmeticException notFinite)
        {
            throw NotFinite($"at step {step} {notFinite.Message}");
        }
    }

    private void RequireFinite(double value, int step)
    {
        if (!double.IsFinite(value))
        {
            var broken = _weights.Concat(model.Weights.Values).FirstOrDefault(w => w.ToArray().Any(v => !float.IsFinite(v)));
            throw NotFinite($"the loss is {value} at step {step}{(broken is null ? "" : $": the weight '{broken.Name}' holds values that are not finite")}");
        }
    }

    private static RunFailedException NotFinite(string message) =>
        new("not_finite", message, "lower the learning rate, or look for broken values in the model or the data");
}
