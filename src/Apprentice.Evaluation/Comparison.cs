using Apprentice.Data.Metrics;

namespace Apprentice.Evaluation;

/// <summary>One way of answering the held-out examples, and how it did.</summary>
/// <param name="Name">Short, such as "fine-tuned".</param>
/// <param name="Description">What was done, in a sentence.</param>
/// <param name="Answers">One for each held-out example, in their order.</param>
/// <param name="Metrics">By the metric's name, with 95% intervals.</param>
public sealed record Contender(string Name, string Description, IReadOnlyList<ScoredAnswer> Answers, IReadOnlyDictionary<string, MetricValue> Metrics)
{
    /// <exception cref="ArgumentException">There are no answers.</exception>
    public static Contender Of(string name, string description, IReadOnlyList<ScoredAnswer> answers, IReadOnlyList<Metric> metrics) =>
        new(name, description, answers, Evaluator.Summarize(answers, metrics).Metrics);
}

/// <summary>Several ways of answering the same held-out examples.</summary>
/// <param name="Metrics">What was measured, each a share of the examples; the last is what the verdict is about.</param>
/// <param name="Rivals">What fine-tuning has to beat: the base with and without a prompt. At least one.</param>
/// <param name="Tuned">The fine-tuned model.</param>
public sealed record Comparison(IReadOnlyList<Metric> Metrics, IReadOnlyList<Contender> Rivals, Contender Tuned)
{
    public IReadOnlyList<Contender> Contenders => [.. Rivals, Tuned];

    public Metric Primary => Metrics[^1];

    /// <summary>The rival that did best by the primary metric; of equals the first.</summary>
    public Contender BestRival => Rivals.MaxBy(r => r.Metrics[Primary.Name].Value)!;
}
