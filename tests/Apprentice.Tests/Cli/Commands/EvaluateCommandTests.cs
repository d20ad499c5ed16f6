using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Data.Metrics;
using Apprentice.Evaluation;

namespace Apprentice.Tests.Cli.Commands;

public class EvaluateCommandTests
{
    private static Verb Verb(Terminal terminal) => EvaluateCommand.Create(terminal, (request, progress, _) =>
    {
        progress.Report(0.5);
        return Task.FromResult(new EvaluationSummary(400, request.Metrics.ToDictionary(m => m, _ => new MetricValue(0.8125, 0.775, 0.85))));
    });

    [Fact]
    public async Task People_get_a_table()
    {
        var run = await CommandRun.Of(Verb, ["evaluate", "--model", "m", "--data", "d.jsonl", "--metric", "f1", "--metric", "exact_match"]);
        Assert.Equal(0, run.Exit);
        Assert.Matches(@"f1 +0\.8125 +0\.7750 to 0\.8500", run.Output);
        Assert.Contains("exact_match", run.Output, StringComparison.Ordinal);
        Assert.Contains("400 examples", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_promised_names()
    {
        var run = await CommandRun.Of(Verb, ["evaluate", "--model", "m", "--data", "d.jsonl", "--metric", "exact_match", "--json"]);
        Assert.Equal("""{"examples":400,"metrics":{"exact_match":{"value":0.8125,"low":0.775,"high":0.85}}}""" + "\n", run.Output);
    }
}
