using System.Diagnostics;
using Apprentice.Data;
using Apprentice.Tests.Training.Checkpoints;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Training.Runs;

public class RunFolderTests
{
    [Fact]
    public void A_run_is_never_overwritten()
    {
        using var folder = new TemporaryFolder();
        var path = folder.In("runs", "tickets");
        using (var run = RunFolder.Create(path))
        {
            Assert.Equal("run_busy", Code(() => RunFolder.Create(path))); // not yet anything in it, but held
            run.WriteState(new RunState(RunStatus.Running));
        }

        Assert.Equal("run_exists", Code(() => RunFolder.Create(path)));
        File.WriteAllText(folder.In("file"), "");
        Assert.Equal("run_exists", Code(() => RunFolder.Create(folder.In("file"))));
        Assert.Equal("bad_path", Code(() => RunFolder.Create(folder.In("file", "below"))));
    }

    [Fact]
    public void An_empty_folder_and_one_left_by_a_kill_may_become_a_run()
    {
        using var folder = new TemporaryFolder();
        RunFolder.Create(folder.Path).Dispose();
        File.WriteAllText(folder.In(".tmp-recipe.yaml"), "mod");
        RunFolder.Create(folder.Path).Dispose();
    }

    [Fact]
    public void Only_one_trains_while_others_look()
    {
        using var folder = new TemporaryFolder();
        using (var run = Begin(folder.In("run")))
        {
            Assert.Equal("run_busy", Code(() => RunFolder.OpenForTraining(folder.In("run"))));
            using var look = RunFolder.Open(folder.In("run"));
            Assert.True(look.IsHeld());
            Assert.Equal(RunStatus.Running, look.ReadState().Status);
        }

        Assert.False(RunFolder.Open(folder.In("run")).IsHeld());
        using var again = RunFolder.OpenForTraining(folder.In("run"));
        Assert.True(again.IsHeld());
    }

    [SkippableFact]
    public void The_hold_goes_with_the_process_that_had_it()
    {
        Skip.IfNot(File.Exists("/usr/bin/flock"), "needs the flock program to stand for another process");
        using var folder = new TemporaryFolder();
        Begin(folder.In("run")).Dispose();
        using var other = Process.Start("/usr/bin/flock", ["--no-fork", folder.In("run", ".training"), "sleep", "60"]);
        var run = RunFolder.Open(folder.In("run"));
        Assert.True(SpinWait.SpinUntil(run.IsHeld, TimeSpan.FromSeconds(10)));
        Assert.Equal("run_busy", Code(() => RunFolder.OpenForTraining(folder.In("run"))));
        other.Kill();
        other.WaitForExit();
        RunFolder.OpenForTraining(folder.In("run")).Dispose();
    }

    [Fact]
    public void Opening_for_training_removes_what_was_half_written()
    {
        using var folder = new TemporaryFolder();
        using (var run = Begin(folder.In("run")))
        {
            run.Checkpoints().Save(new CheckpointState { Step = 1 }, _ => { });
        }

        Directory.CreateDirectory(folder.In("run", "checkpoints", ".tmp-step-000002"));
        Directory.CreateDirectory(folder.In("run", ".old-adapter"));
        using var resumed = RunFolder.OpenForTraining(folder.In("run"));
        Assert.Equal(1, resumed.Checkpoints().Latest()!.Step);
        Assert.Single(Directory.GetFileSystemEntries(resumed.CheckpointsFolder));
        Assert.True(Directory.Exists(resumed.AdapterFolder)); // its replacement had not got the name yet
    }

    [Theory]
    [InlineData("{", "bad_run")]
    [InlineData("null", "bad_run")]
    [InlineData("{\"status\": \"asleep\"}", "bad_run")]
    public void A_damaged_state_is_an_input_error(string text, string code)
    {
        using var folder = new TemporaryFolder();
        using var run = Begin(folder.In("run"));
        File.WriteAllText(run.StateFile, text);
        Assert.Equal(code, Code(() => run.ReadState()));
    }

    [Fact]
    public void Not_a_run()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("not_a_run", Code(() => RunFolder.Open(folder.Path)));
        Assert.Equal("not_a_run", Code(() => RunFolder.Open(folder.In("nowhere"))));
        using var run = Begin(folder.In("run"));
        Assert.Equal("not_a_run", Code(() => run.ReadLock()));
    }

    [Fact]
    public void The_lock_says_what_changed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("data"), "one");
        var was = new RunLock { Hashes = { ["data"] = RunLock.HashFile(folder.In("data")), ["template"] = RunLock.HashText("t") }, Settings = { ["instruction_set"] = "avx512" } };
        using var run = Begin(folder.In("run"));
        run.WriteLock(was);
        var read = run.ReadLock();
        read.Verify(was, run.LockFile);
        Assert.Equal("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", read.Hashes["data"]);

        var now = new RunLock { Hashes = { ["data"] = RunLock.HashText("two"), ["template"] = RunLock.HashText("t") }, Settings = { ["instruction_set"] = "avx2" } };
        var e = Assert.Throws<InputException>(() => read.Verify(now, run.LockFile));
        Assert.Equal("lock_changed", e.Code);
        Assert.Contains("data (was 7692c3ad3540…, is ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("template", e.Message, StringComparison.Ordinal);
        Assert.Equal(new RunLock.Difference("instruction_set", "avx512", "avx2"), Assert.Single(read.ChangedSettings(now)));
    }

    private static RunFolder Begin(string path)
    {
        var run = RunFolder.Create(path);
        run.WriteRecipe(new Recipe { Model = "m", Data = ["d"] }.Resolve(new ModelFacts(1, 2048), new DataFacts(100)));
        Assert.Equal(RunStatus.Queued, run.ReadState().Status);
        run.WriteState(new RunState(RunStatus.Running));
        Assert.Equal("m", run.ReadRecipe().Model);
        return run;
    }

    private static string Code(Action action) => Assert.Throws<InputException>(action).Code;
}
