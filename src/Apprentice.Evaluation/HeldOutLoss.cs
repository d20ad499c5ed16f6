using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Data.Datasets;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Training.Losses;

namespace Apprentice.Evaluation;

/// <summary>How surprised a model is by the expected answers: the loss it would be trained on, without training.</summary>
internal static class HeldOutLoss
{
    private const int TokensAtOnce = 2048;

    /// <summary>The loss of each example, in their order: a sum over its supervised tokens and their weight.</summary>
    /// <exception cref="InputException">An example does not fit the model's context, or nothing of it would be learned.</exception>
    public static IReadOnlyList<LossSum> Run(
        LoadedModel model, Engine engine, IReadOnlyList<Example> examples, bool raw, IProgress<double>? progress, CancellationToken cancellation)
    {
        var encoded = model.Text.ExampleEncoder(raw).EncodeAll(examples, model.Model.ContextLength).Examples;
        var losses = new List<LossSum>(encoded.Count);
        foreach (var batch in StepBatch.Create(encoded, TokensAtOnce, sharePrefixes: true).MicroBatches)
        {
            cancellation.ThrowIfCancellationRequested();
            using var tape = new Tape(engine, recording: false);
            var values = BatchForward.Run(tape, model.Model, model.Adapter, batch).ToArray();
            foreach (var example in batch.Targets.Select((target, at) => (target.Example, at)).GroupBy(t => t.Example, t => t.at))
            {
                var (first, count) = (example.First(), example.Count());
                losses.Add(new SupervisedLoss().Evaluate(values.AsSpan(3 * first, 3 * count), batch.Targets.AsSpan(first, count), 1, default));
            }

            progress?.Report((double)losses.Count / encoded.Count);
        }

        return losses;
    }
}
