namespace Apprentice.Evaluation;

/// <summary>A metric over the evaluated examples with its 95% confidence interval.</summary>
public sealed record MetricResult(double Value, double Low, double High);

/// <summary>How a model did. These names in snake_case are what <c>evaluate --json</c> promises.</summary>
/// <param name="Examples">Number of examples that were scored.</param>
/// <param name="Metrics">By the metric's name, in the order in which they were asked for.</param>
public sealed record EvaluationSummary(int Examples, IReadOnlyDictionary<string, MetricResult> Metrics);
