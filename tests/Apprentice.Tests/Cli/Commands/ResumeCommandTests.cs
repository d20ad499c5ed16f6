using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Data;
using Apprentice.Tests.Cli.LiveView;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Cli.Commands;

public class ResumeCommandTests
{
    private static Func<Terminal, Verb> Ends(RunStatus status) => terminal => ResumeCommand.Create(terminal, (run, progress, _) =>
    {
        progress.Report(InventedRun.Steps(120).Last());
        return Task.FromResult(new TrainingSummary(run, status, 120, 4, 0.8123, double.NaN, null, 3.2, 812, 912_345_678, 95.5, 4_884_480));
    });

    [Theory]
    [InlineData(RunStatus.Succeeded, 0, "try it: apprentice generate --model runs/tickets")]
    [InlineData(RunStatus.Paused, 130, "go on with it: apprentice resume runs/tickets")]
    [InlineData(RunStatus.Failed, 1, "go on with it: apprentice resume runs/tickets")]
    public async Task People_get_a_summary_and_the_next_step(RunStatus status, int exit, string next)
    {
        var run = await CommandRun.Of(Ends(status), ["resume", "runs/tickets"]);
        Assert.Equal(exit, run.Exit);
        Assert.Contains(next, run.Output, StringComparison.Ordinal);
        Assert.Contains("after 120 steps, 4 epochs, 1m35s", run.Output, StringComparison.Ordinal);
        Assert.Contains("4,884,480 parameters", run.Output, StringComparison.Ordinal);
        Assert.StartsWith("step 120/120 ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_the_promised_names()
    {
        var run = await CommandRun.Of(Ends(RunStatus.Succeeded), ["resume", "runs/tickets", "--json"]);
        Assert.Equal(
            """{"run":"runs/tickets","status":"succeeded","steps":120,"epochs":4,"train_loss":0.8123,"valid_loss":null,"examples_per_second":3.2,"tokens_per_second":812,"peak_memory_bytes":912345678,"duration_seconds":95.5,"trainable_parameters":4884480}""" + "\n",
            run.Output);
    }

    [Fact]
    public async Task A_failed_run_says_why()
    {
        var run = await CommandRun.Of(
            terminal => ResumeCommand.Create(terminal, (_, _, _) => throw new RunFailedException("disk_full", "no room for the checkpoint", "make room")),
            ["resume", "runs/tickets"]);
        Assert.Equal((1, "error: no room for the checkpoint\nhint: make room\n"), (run.Exit, run.Error));
    }
}
