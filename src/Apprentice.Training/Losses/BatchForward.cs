using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Training.Losses;

/// <summary>From a batch of packed examples to the log-probabilities of its targets.</summary>
public static class BatchForward
{
    /// <returns>[targets, 3] as <see cref="TokenLogProbabilities"/> gives it, in the order of the batch's targets.</returns>
    public static Tensor Run(Tape tape, LanguageModel model, LoraAdapter? adapter, Batch batch, DropoutMask? dropout = null)
    {
        var segments = new Segments(Array.ConvertAll(batch.Segments, s => new Tensors.Ops.Segment(s.Start, s.Length, batch.Positions[s.Start], s.Parent)));
        var hidden = model.Forward(tape, new ForwardInput(batch.Ids, segments) { Adapter = adapter, Dropout = dropout });
        return model.LogProbabilities(
            tape, hidden, Array.ConvertAll(batch.Targets, t => t.Source), Array.ConvertAll(batch.Targets, t => t.Token), adapter);
    }
}
