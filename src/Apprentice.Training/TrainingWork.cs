using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;

namespace Apprentice.Training;

/// <summary>
/// How many floating-point operations a LoRA step needs at least, whatever an implementation does beyond them: each
/// multiply-add of a frozen matrix twice (forward, and backward to its input), of an adapter three times (its own gradient,
/// too), and attention over what each token sees, once forward and twice backward.
/// </summary>
/// <param name="FrozenParameters">Of all linear layers without the output projection.</param>
/// <param name="AdapterParameters">Of A and B together.</param>
/// <param name="HeadParameters">Of the output projection.</param>
/// <param name="AttentionWidth">Columns of all heads' queries, over all layers.</param>
public sealed record TrainingWork(long FrozenParameters, long AdapterParameters, long HeadParameters, long AttentionWidth)
{
    public static TrainingWork Of(LanguageModel model, LoraAdapter adapter) => new(
        model.LinearLayers.Sum(l => l.Weight.Count), adapter.ParameterCount, model.Head.Count, (long)model.Layers * model.QueryWidth);

    /// <summary>Of each token, without attention.</summary>
    public double FlopsPerToken => 4.0 * FrozenParameters + 6.0 * AdapterParameters;

    /// <summary>Of each pair of a token and one that it sees.</summary>
    public double FlopsPerVisiblePair => 12.0 * AttentionWidth;

    /// <summary>Of each token whose next one is learned.</summary>
    public double FlopsPerTarget => 4.0 * HeadParameters;

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
        return batch.Ids.Length * 2.0 * (FrozenParameters + AdapterParameters) + VisiblePairs(batch) * 4.0 * AttentionWidth;
    }

    private static long VisiblePairs(Batch batch) => batch.Positions.Sum(position => position + 1L);
}
