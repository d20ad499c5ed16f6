namespace Apprentice.Tests.EndToEnd;

/// <summary>What <c>resume</c> does with a run, however that ended.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ResumeTests : IDisposable
{
    private const string Long = "train --model m --data bank.jsonl --batch-size 2 --validation 2 --evaluate-every 50 --early-stopping 0 --max-steps 800";
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_finished_run_says_so_and_gives_its_figures_again()
    {
        var trained = await work.Done("train --model m --data bank.jsonl --out r --max-steps 3");
        var again = await work.Done("resume r");
        Assert.Equal(trained.GetRawText(), again.GetRawText());
        var shown = await work.Run("resume r");
        Assert.Contains("succeeded after 3 steps", shown.Output, StringComparison.Ordinal);
        Assert.Contains("finished", shown.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Ctrl_C_finishes_the_step_and_saves_and_resume_gives_the_same_bits()
    {
        await work.Done($"{Long} --out whole");
        using (var cli = work.Start($"{Long} --out stopped --json"))
        {
            await cli.LineAsync(l => l.StartsWith("step 64/", StringComparison.Ordinal));
            cli.Interrupt(times: 2); // timeout(1) sends it to the process and to its group
            var paused = await cli.WaitAsync();
            Assert.Equal((130, "paused"), (paused.Exit, paused.Json.GetProperty("status").GetString()));
        }

        var state = work.ReadJson("stopped/state.json");
        Assert.Equal("paused", (string?)state["status"]);
        Assert.True(Directory.Exists(work.In($"stopped/checkpoints/step-{(int)state["step"]!:D6}")));
        var resumed = await work.Done("resume stopped");
        Assert.Equal("succeeded", resumed.GetProperty("status").GetString());
        work.AssertSameBits("whole", "stopped");
    }

    [Fact]
    public async Task A_run_that_has_no_checkpoint_yet_starts_anew()
    {
        await work.Done("train --model m --data bank.jsonl --out r --max-steps 3");
        await work.Done("train --model m --data bank.jsonl --out killed --max-steps 3");
        foreach (var folder in new[] { "killed/checkpoints", "killed/adapter" })
        {
            Directory.Delete(work.In(folder), recursive: true);
        }

        File.WriteAllText(work.In("killed/state.json"), """{"status":"running","step":0}""");
        File.AppendAllText(work.In("killed/events.jsonl"), "{\"type\":\"metr"); // torn
        Assert.Contains("this run has not made a model yet", await work.Refused("generate --model killed --prompt x"), StringComparison.Ordinal);
        await work.Done("resume killed");
        work.AssertSameBits("r", "killed");
    }

    [Theory]
    [InlineData("m/tokenizer_config.json", "model/tokenizer_config.json")]
    [InlineData("bank.jsonl", "data/bank.jsonl")]
    public async Task Other_data_or_another_model_than_at_the_beginning_is_refused(string file, string named)
    {
        await work.Done("train --model m --data bank.jsonl --out r --max-steps 3");
        File.WriteAllText(work.In("r/state.json"), """{"status":"running","step":0}""");
        File.AppendAllText(work.In(file), " ");
        var error = await work.Refused("resume r");
        Assert.Contains($"not the same as when the run began: {named}", error, StringComparison.Ordinal);
    }
}
