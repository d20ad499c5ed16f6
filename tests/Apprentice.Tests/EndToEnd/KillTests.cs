using System.Globalization;
using Apprentice.Data;
using Xunit.Abstractions;

namespace Apprentice.Tests.EndToEnd;

/// <summary>Kill -9 at any moment, and resume gives the bits of the run that was never killed.</summary>
[Trait("Category", "Fault")]
public class KillTests(ITestOutputHelper output)
{
    private const int Kills = 20, Steps = 40;

    // A checkpoint after every step: most of the time goes into writing them, and so most kills fall there.
    private const string Train = "train --model m --data bank.jsonl --batch-size 2 --validation 2 --dropout 0.1 --checkpoint-every 1 --evaluate-every 3 --early-stopping 0 --max-steps 40 --out ";

    [SkippableFact]
    public async Task Killed_runs_end_with_the_same_bits()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no kill -9");
        using var work = new Workplace();
        await work.Done(Train + "whole");
        var random = new CounterRandom(2026, RandomStream.Sampling);
        var killed = 0;
        for (var i = 0; i < Kills; i++)
        {
            var run = $"r{i}";
            var (step, delay) = (random.Below(Steps, (ulong)(4 * i)), random.Below(25, (ulong)(4 * i) + 1));
            var command = Train + run;
            for (var again = 0; again <= i % 3; again++)
            {
                var died = await Kill(work, command, step, TimeSpan.FromMilliseconds(delay));
                killed += died ? 1 : 0;
                output.WriteLine($"{run}: {(died ? "killed" : "already done")} {delay} ms after step {step} or later; left {Left(work, run)}");
                command = Directory.Exists(work.In(run)) && File.Exists(work.In(run, "recipe.yaml")) ? "resume " + run : command;
                delay = random.Below(25, (ulong)(4 * i) + 2 + (ulong)again);
            }

            await work.Done(command);
            work.AssertSameBits("whole", run);
            Assert.DoesNotContain(Directory.GetFileSystemEntries(work.In(run, "checkpoints")), e => Path.GetFileName(e).StartsWith('.'));
        }

        output.WriteLine($"{killed} kills of {Kills} runs");
        Assert.True(killed >= Kills * 3 / 4, $"only {killed} of the runs were killed before they ended");
    }

    /// <summary>Kills the command the given time after it reports that step or a later one; false where it ended before.</summary>
    private static async Task<bool> Kill(Workplace work, string command, int step, TimeSpan delay)
    {
        using var cli = work.Start(command);
        try
        {
            await cli.LineAsync(line => StepOf(line) >= step);
            await Task.Delay(delay);
            cli.Kill();
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            Assert.Equal(0, (await cli.WaitAsync()).Exit);
            return false;
        }

        return (await cli.WaitAsync()).Exit == 128 + 9;
    }

    private static int StepOf(string line) =>
        line.StartsWith("step ", StringComparison.Ordinal) && line.IndexOf('/', StringComparison.Ordinal) is > 5 and var end
            && int.TryParse(line.AsSpan(5, end - 5), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;

    private static string Left(Workplace work, string run) => Directory.Exists(work.In(run, "checkpoints"))
        ? string.Join(' ', Directory.GetFileSystemEntries(work.In(run, "checkpoints")).Select(Path.GetFileName).Order())
        : "no checkpoint";
}
