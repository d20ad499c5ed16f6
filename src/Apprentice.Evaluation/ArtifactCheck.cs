using Apprentice.Data.Metrics;

namespace Apprentice.Evaluation;

/// <summary>A metric of a model, of the artifact made from it, and the second less the first.</summary>
public sealed record MetricChange(MetricValue Model, MetricValue Artifact, MetricValue Difference);

/// <summary>What was tested is what is shipped: an exported artifact on held-out examples, beside the model that it was made from.</summary>
/// <param name="Metrics">By the metric's name.</param>
public sealed record ArtifactCheck(int Examples, IReadOnlyDictionary<string, MetricChange> Metrics)
{
    private const ulong BootstrapSeed = 3;

    /// <summary>The interval of a difference is a paired bootstrap's, since both answered the same examples.</summary>
    /// <param name="model">One for each example.</param>
    /// <param name="artifact">For the same examples in the same order.</param>
    public static ArtifactCheck Of(IReadOnlyList<ScoredAnswer> model, IReadOnlyList<ScoredAnswer> artifact, IReadOnlyList<Metric> metrics)
    {
        var (before, after) = (Evaluator.Summarize(model, metrics).Metrics, Evaluator.Summarize(artifact, metrics).Metrics);
        return new ArtifactCheck(model.Count, metrics.ToDictionary(m => m.Name, m => new MetricChange(before[m.Name], after[m.Name], Intervals.Bootstrap(
            [.. artifact.Zip(model, (a, b) => a.Scores[m.Name] - b.Scores[m.Name])],
            BootstrapSeed,
            m.Score is null ? [.. model.Select(a => a.Tokens!.Value)] : null))));
    }
}
