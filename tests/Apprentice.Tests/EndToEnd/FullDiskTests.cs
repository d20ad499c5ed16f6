using Apprentice.Tests.Training.Checkpoints;

namespace Apprentice.Tests.EndToEnd;

[Trait("Category", "Fault")]
public class FullDiskTests
{
    [SkippableFact]
    public async Task A_run_on_a_full_disk_says_so_keeps_its_last_checkpoint_and_goes_on_when_there_is_space()
    {
        // A checkpoint takes 180 kB: two fit, the third does not.
        using var disk = SmallDisk.Mount("480k");
        using var work = new Workplace();
        var run = Path.Combine(disk.Path, "r");
        const string Train = "train --model m --data bank.jsonl --max-steps 12 --checkpoint-every 2 --validation none --out";
        await work.Done(Train, "whole");

        var full = await work.Run(Train, run);
        Assert.Equal((1, ""), (full.Exit, full.Output));
        Assert.Contains("error: disk full while writing ", full.Error, StringComparison.Ordinal);
        Assert.Contains("the last good checkpoint is step-000004", full.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", full.Error, StringComparison.Ordinal);
        Assert.Equal("failed", (string?)work.ReadJson(run, "state.json")["status"]);
        Assert.Equal(["step-000002", "step-000004"], Directory.GetFileSystemEntries(Path.Combine(run, "checkpoints")).Select(Path.GetFileName).Order());

        Assert.Equal(1, (await work.Run("resume", run)).Exit); // still full
        disk.Grow("4m");
        await work.Done("resume", run);
        work.AssertSameBits("whole", run);
    }
}
