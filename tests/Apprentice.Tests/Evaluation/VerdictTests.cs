using Apprentice.Data.Metrics;
using Apprentice.Evaluation;

namespace Apprentice.Tests.Evaluation;

public class VerdictTests
{
    [Fact]
    public void A_gain_beyond_doubt_is_worth_it_where_the_answers_are_good()
    {
        var verdict = Verdict.Of(SampleComparison.Of(new string('0', 100), new string('1', 30) + new string('0', 70), new string('1', 95) + new string('0', 5)));
        Assert.Equal((Outcome.WorthIt, true), (verdict.Outcome, verdict.IsWorthIt));
        Assert.Equal(0.65, verdict.Gain.Value, 1e-12);
        Assert.InRange(verdict.Gain.Low, 0.5, 0.6);
        Assert.InRange(verdict.Gain.High, 0.7, 0.8);

        // The numbers of the sentence are those of Wilson's intervals.
        var (tuned, rival) = (Intervals.Wilson(95, 100), Intervals.Wilson(30, 100));
        Assert.Contains(FormattableString.Invariant($"fine-tuned got 95% ({100 * tuned.Low:0} to {100 * tuned.High:0}) all correct"), verdict.Text, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"rival 1, 30% ({100 * rival.Low:0} to {100 * rival.High:0})"), verdict.Text, StringComparison.Ordinal);
        Assert.Contains("+65 points", verdict.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gain_that_leaves_many_answers_wrong_is_said_with_their_number()
    {
        var verdict = Verdict.Of(SampleComparison.Of(new string('0', 100), new string('1', 40) + new string('0', 60)));
        Assert.Equal((Outcome.Helped, true), (verdict.Outcome, verdict.IsWorthIt));
        Assert.Contains("60 of 100", verdict.Headline, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00000000000000000000", "00000000000000000000", Outcome.Unclear)] // nobody knows anything
    [InlineData("11111111111111111111", "11111111111111111111", Outcome.Unclear)] // the prompt does it
    [InlineData("00000000001111111111", "00000000011111111111", Outcome.Unclear)] // one more of twenty is luck
    [InlineData("11111111110000000000", "00000000001111111111", Outcome.Unclear)] // equal in number
    [InlineData("11111111111111111111", "00000000001111111111", Outcome.Worse)]
    public void What_shows_no_sure_gain_is_not_worth_it(string rival, string tuned, Outcome outcome)
    {
        var verdict = Verdict.Of(SampleComparison.Of(rival, tuned));
        Assert.Equal((outcome, false), (verdict.Outcome, verdict.IsWorthIt));
        Assert.StartsWith("Not worth it", verdict.Headline, StringComparison.Ordinal);
    }

    [Fact]
    public void The_best_rival_is_the_one_to_beat()
    {
        var verdict = Verdict.Of(SampleComparison.Of("11111111111111111111", "00000000000000000000", "11111111111111111110"));
        Assert.Equal(Outcome.Unclear, verdict.Outcome);
        Assert.Contains("rival 0", verdict.Text, StringComparison.Ordinal);
    }
}
