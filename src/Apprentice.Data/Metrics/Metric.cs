using System.Text.Json;

namespace Apprentice.Data.Metrics;

/// <summary>A measure of one answer against the expected one, in [0, 1], higher is better; or the loss, lower is better.</summary>
/// <param name="Name">What the user writes, such as <c>exact_match</c>.</param>
/// <param name="Description">What it is, in a sentence.</param>
/// <param name="IsProportion">Whether every score is 0 or 1, so that the mean is a proportion.</param>
/// <param name="Score">(answer, expected) to score; null for the loss, which looks at probabilities and at no answer.</param>
public sealed record Metric(string Name, string Description, bool IsProportion, Func<string, string, double>? Score)
{
    /// <summary>The name as people read it.</summary>
    public string Label => Name.Replace('_', ' ');

    public static IReadOnlyList<Metric> All { get; } =
    [
        new("exact_match", "the answer equals the expected text, white space around both aside", true, ExactMatch),
        new("accuracy", "the same, under the name used for labels", true, ExactMatch),
        new("normalized_match", "equal after lower-casing and without ASCII punctuation, a/an/the and extra white space (SQuAD's exact match)", true, NormalizedMatch),
        new("contains", "the expected text occurs in the answer", true, (answer, expected) => answer.Contains(expected.Trim(), StringComparison.Ordinal) ? 1 : 0),
        new("token_f1", "harmonic mean of precision and recall of the words, normalised as for normalized_match (SQuAD's F1)", false, TokenF1),
        new("loss", "mean of -log p over the tokens of the expected answers, as in training; lower is better", false, null),
        new("json_valid", "the answer is one JSON value and nothing else", true, (answer, _) => IsJson(answer) ? 1 : 0),
    ];

    /// <exception cref="InputException">There is no such metric; the message lists those there are.</exception>
    public static Metric Find(string name) =>
        All.FirstOrDefault(metric => metric.Name == name)
        ?? throw new InputException("unknown_metric", $"there is no metric '{name}'; one of {string.Join(", ", All.Select(metric => metric.Name))} is needed");

    /// <summary>The mean score with its 95% interval: Wilson's for a proportion, a bootstrap's otherwise.</summary>
    /// <param name="scores">One score per example, at least one.</param>
    /// <param name="seed">For the bootstrap.</param>
    /// <param name="weights">What each score counts in the mean, or null for 1 each; not for proportions.</param>
    public MetricValue Summarize(IReadOnlyList<double> scores, ulong seed, IReadOnlyList<double>? weights = null) =>
        IsProportion ? Intervals.Wilson((int)Math.Round(scores.Sum()), scores.Count) : Intervals.Bootstrap(scores, seed, weights);

    private static double ExactMatch(string answer, string expected) =>
        answer.AsSpan().Trim().SequenceEqual(expected.AsSpan().Trim()) ? 1 : 0;

    private static double NormalizedMatch(string answer, string expected) =>
        SquadText.Words(answer).SequenceEqual(SquadText.Words(expected)) ? 1 : 0;

    private static double TokenF1(string answer, string expected)
    {
        var (given, right) = (SquadText.Words(answer), SquadText.Words(expected));
        if (given.Count == 0 || right.Count == 0)
        {
            return given.Count == right.Count ? 1 : 0;
        }

        var counts = right.CountBy(word => word).ToDictionary();
        var common = 0;
        foreach (var word in given)
        {
            if (counts.TryGetValue(word, out var left) && left > 0)
            {
                counts[word] = left - 1;
                common++;
            }
        }

        var (precision, recall) = ((double)common / given.Count, (double)common / right.Count);
        return common == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return false; // an ArgumentException says that the text is not valid UTF-16
        }
    }
}
