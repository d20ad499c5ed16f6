using Apprentice.Data;
using Apprentice.Data.Metrics;

namespace Apprentice.Tests.Data.Metrics;

public class MetricTests
{
    [Theory]
    [InlineData("exact_match", " card\n", "card", 1)]
    [InlineData("exact_match", "Card", "card", 0)]
    [InlineData("accuracy", "card ", "card", 1)]
    [InlineData("normalized_match", "The Card!", "card", 1)]
    [InlineData("contains", "it is a card.", " card ", 1)]
    [InlineData("contains", "it is a car", "card", 0)]
    [InlineData("token_f1", "a red card", "red cards", 0.5)]
    [InlineData("json_valid", " {\"a\": [1]} ", "", 1)]
    [InlineData("json_valid", "{\"a\": 1} and", "", 0)]
    [InlineData("json_valid", "", "", 0)]
    [InlineData("json_valid", "\ud800", "", 0)]
    public void Score(string name, string answer, string expected, double score) => Assert.Equal(score, Metric.Find(name).Score!(answer, expected), 12);

    [Fact]
    public void UnknownName_ListsTheKnown()
    {
        var error = Assert.Throws<InputException>(() => Metric.Find("bleurt"));
        Assert.Contains("exact_match", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_OfAProportionAndOfAMean()
    {
        var proportion = Metric.Find("exact_match").Summarize([1, 0, 1, 1], 0);
        Assert.Equal(Intervals.Wilson(3, 4), proportion);
        double[] scores = [0.1, 0.9, 0.5, 0.3, 0.7, 0.2];
        var mean = Metric.Find("token_f1").Summarize(scores, 1);
        Assert.Equal(mean, Metric.Find("token_f1").Summarize(scores, 1));
        Assert.NotEqual(mean, Metric.Find("token_f1").Summarize(scores, 2));
        Assert.InRange(mean.Value, mean.Low, mean.High);
        Assert.Equal(new MetricValue(0.5, 0.5, 0.5), Metric.Find("token_f1").Summarize([0.5, 0.5], 3));
    }

    /// <summary>The interval must hold the truth as often as it says: drawn from a known distribution 400 times.</summary>
    [Fact]
    public void Bootstrap_CoversTheTruth()
    {
        var random = new CounterRandom(11, RandomStream.Sampling);
        var covered = Enumerable.Range(0, 400).Count(trial =>
        {
            var sample = Enumerable.Range(0, 40).Select(i => random.Uniform(((ulong)trial * 40) + (ulong)i)).ToArray();
            var interval = Intervals.Bootstrap(sample, (ulong)trial);
            return interval.Low <= 0.5 && 0.5 <= interval.High;
        });
        Assert.InRange(covered, 360, 396);
    }
}
