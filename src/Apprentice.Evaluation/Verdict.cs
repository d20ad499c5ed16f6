using Apprentice.Data.Metrics;

namespace Apprentice.Evaluation;

public enum Outcome
{
    /// <summary>Better than the best rival beyond doubt, and good.</summary>
    WorthIt,

    /// <summary>Better beyond doubt, but often wrong.</summary>
    Helped,

    /// <summary>No difference to the best rival could be shown.</summary>
    Unclear,

    /// <summary>Worse than the best rival beyond doubt.</summary>
    Worse,
}

/// <summary>
/// Whether fine-tuning was worth it. Both models answered the same examples, so the difference is taken example by example
/// and its interval is a paired bootstrap's: "beyond doubt" means that the 95% interval does not hold 0.
/// </summary>
/// <param name="Headline">The verdict in a sentence.</param>
/// <param name="Text">What it rests on.</param>
/// <param name="Gain">Fine-tuned minus best rival in the primary metric, from -1 to 1.</param>
public sealed record Verdict(Outcome Outcome, string Headline, string Text, MetricValue Gain)
{
    /// <summary>Below this share of right answers a better model is still not a good one.</summary>
    private const double Good = 0.8;
    private const ulong BootstrapSeed = 2;

    public bool IsWorthIt => Outcome is Outcome.WorthIt or Outcome.Helped;

    public static Verdict Of(Comparison comparison)
    {
        var (name, rival, tuned) = (comparison.Primary.Name, comparison.BestRival, comparison.Tuned);
        var gain = Intervals.Bootstrap([.. tuned.Answers.Zip(rival.Answers, (t, r) => t.Scores[name] - r.Scores[name])], BootstrapSeed);
        var value = tuned.Metrics[name].Value;
        var outcome = gain.Low > 0 ? value >= Good ? Outcome.WorthIt : Outcome.Helped
            : gain.High < 0 ? Outcome.Worse
            : Outcome.Unclear;
        var wrong = Math.Round(100 * (1 - value));
        return new Verdict(outcome, outcome switch
        {
            Outcome.WorthIt => "Fine-tuning was worth it.",
            Outcome.Helped => FormattableString.Invariant($"Fine-tuning helped, but {wrong:0} of 100 answers are still not right."),
            Outcome.Unclear => $"Not worth it: '{comparison.Primary.Label}' shows no sure gain.",
            _ => $"Not worth it: '{comparison.Primary.Label}' got worse.",
        }, Reason(comparison, gain), gain);
    }

    private static string Reason(Comparison comparison, MetricValue gain)
    {
        var (metric, rival, tuned) = (comparison.Primary, comparison.BestRival, comparison.Tuned);
        var count = tuned.Answers.Count;
        string Share(Contender c) => FormattableString.Invariant(
            $"{100 * c.Metrics[metric.Name].Value:0}% ({100 * c.Metrics[metric.Name].Low:0} to {100 * c.Metrics[metric.Name].High:0})");
        return FormattableString.Invariant(
            $"Of {count} held-out examples, {tuned.Name} got {Share(tuned)} {metric.Label}; the best without fine-tuning, {rival.Name}, {Share(rival)}. ") + FormattableString.Invariant(
            $"The difference is {Points(gain.Value)} points, with 95% confidence between {Points(gain.Low)} and {Points(gain.High)}.");
    }

    private static string Points(double share) => (100 * share).ToString("+0;-0;0", System.Globalization.CultureInfo.InvariantCulture);
}
