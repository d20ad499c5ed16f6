using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;

namespace Apprentice.Training;

/// <summary>
/// How many floating-point operations a step needs at least, whatever an implementation does beyond them: each
/// multiply-add of a frozen matrix twice (forward, and backward to its input), of a trained one three times (its own
/// gradient, too), and attention over what each token sees, once forward and twice backward.
/// </summary>
/// <param name="FrozenParameters">Of all linear layers without the output projection that are not trained.</param>
/// <param name="TrainedParameters">Of the matrices that are, the output projection apart: an adapter's A and B, or all linear layers.</param>
/// <param name="HeadParameters">Of the output projection.</param>
/// <param name="AttentionWidth">Columns of all heads' queries, over all layers.</param>
/// <param name="HeadTrained">Whether the output projection is trained.</param>
public sealed record TrainingWork(long FrozenParameters, long TrainedParameters, long HeadParameters, long AttentionWidth, bool HeadTrained = false)
{
    /// <param name="adapter">What is trained, or null where all weights are.</param>
    public static TrainingWork Of(LanguageModel model, LoraAdapter? adapter)
    {
        var linear = model.LinearLayers.Sum(l => l.Weight.Count);
        var attention = (long)model.Layers * model.QueryWidth;
        return adapter is null
            ? new(0, linear, model.Head.Count, attention, HeadTrained: true)
            : new(linear, adapter.ParameterCount, model.Head.Count, attention);
    }

    /// <summary>Of each token, without attention.</summary>
    public double FlopsPerToken => 4.0 * FrozenParameters + 6.0 * TrainedParameters;

    /// <summary>Of each pair of a token and one that it sees.</summary>
    public double FlopsPerVisiblePair => 12.0 * AttentionWidth;

    /// <summary>Of each token whose next one is learned.</summary>
    public double FlopsPerTarget => (HeadTrained ? 6.0 : 4.0) * HeadParameters;

    /// <summary>Of so many tokens, pairs of a token and one that it sees (itself among them), and learned tokens.</summary>
    public double Flops(long tokens, long visiblePairs, long targets) =>
        tokens * FlopsPerToken + visiblePairs * FlopsPerVisiblePair + targets * FlopsPerTarget;

    /// <summary>Of a packed batch, in which a shared beginning is computed once.</summary>
    public double Flops(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Flops(batch.Ids.Length, VisiblePairs(batch), batch.Targets.Select(t => t.Source).Distinct().Count());
    }

    /// <summary>Of the layers' forward pass over a batch, which is what recomputation runs again.</summary>
    public double ForwardFlops(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return batch.Ids.Length * 2.0 * (FrozenParameters + TrainedParameters) + VisiblePairs(batch) * 4.0 * AttentionWidth;
    }

    private static long VisiblePairs(Batch batch) => batch.Positions.Sum(position => position + 1L);
}
