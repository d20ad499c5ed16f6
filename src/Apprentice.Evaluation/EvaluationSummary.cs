using Apprentice.Data.Metrics;

namespace Apprentice.Evaluation;

/// <summary>How a model did. These names in snake_case are what <c>evaluate --json</c> promises.</summary>
/// <param name="Examples">Number of examples that were scored.</param>
/// <param name="Metrics">By the metric's name, with its 95% interval, in the order in which they were asked for.</param>
public sealed record EvaluationSummary(int Examples, IReadOnlyDictionary<string, MetricValue> Metrics);
