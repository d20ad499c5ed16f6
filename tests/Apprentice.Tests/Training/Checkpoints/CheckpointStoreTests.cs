using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Apprentice.Tests.Training.Checkpoints;

public class CheckpointStoreTests(ITestOutputHelper output)
{
    [Fact]
    public void Keeps_the_newest_and_the_best()
    {
        using var folder = new TemporaryFolder();
        var store = new CheckpointStore(folder.Path, keep: 2);
        Save(store, 1, best: null);
        Assert.Equal("step-000001", Path.GetFileName(store.Best()!.Path));
        Save(store, 2, best: 2);
        foreach (var step in new[] { 3, 4, 5 })
        {
            Save(store, step, best: 2);
        }

        Assert.Equal([2, 4, 5], store.All().Select(c => c.Step));
        Assert.Equal((5, 2), (store.Latest()!.Step, store.Best()!.Step));
        Save(store, 6, best: 6);
        Assert.Equal([2, 5, 6], store.All().Select(c => c.Step)); // step 5 still names step 2
        Save(store, 7, best: 6);
        Assert.Equal([6, 7], store.All().Select(c => c.Step));
    }

    [Fact]
    public void State_reads_back_to_the_same_bits()
    {
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<double>(), ArbMap.Default.ArbFor<PositiveInt>(), (loss, step) =>
        {
            using var folder = new TemporaryFolder();
            var saved = new CheckpointStore(folder.Path).Save(
                new CheckpointState { Step = step.Get, BestStep = step.Get, BestValidLoss = loss, Epoch = 1 / 3.0, Tokens = long.MaxValue, EvaluationsSinceBest = 2 },
                _ => { });
            var read = new CheckpointStore(folder.Path).Latest()!.State;
            Assert.Equal(BitConverter.DoubleToInt64Bits(double.IsNaN(loss) ? double.NaN : loss), BitConverter.DoubleToInt64Bits(read.BestValidLoss!.Value));
            Assert.Equal(saved.State with { Files = read.Files, BestValidLoss = read.BestValidLoss }, read);
        }));
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("missing")]
    [InlineData("no state")]
    [InlineData("garbage")]
    [InlineData("null files")]
    [InlineData("other step")]
    public void A_damaged_checkpoint_is_passed_over(string damage)
    {
        using var folder = new TemporaryFolder();
        var store = new CheckpointStore(folder.Path, keep: 3);
        Save(store, 1, best: 1);
        var broken = Save(store, 2, best: 2).Path;
        var state = Path.Combine(broken, "state.json");
        switch (damage)
        {
            case "cut":
                File.WriteAllBytes(Path.Combine(broken, "weights.bin"), [1]);
                break;
            case "missing":
                File.Delete(Path.Combine(broken, "inner", "optimizer.bin"));
                break;
            case "no state":
                File.Delete(state);
                break;
            case "garbage":
                File.WriteAllText(state, "{\"step\": ");
                break;
            case "null files":
                File.WriteAllText(state, """{"step": 2, "files": null}""");
                break;
            case "other step":
                File.WriteAllText(state, """{"step": 3}""");
                break;
        }

        Assert.Equal(1, store.Latest()!.Step);
        Assert.Equal(1, store.Best()!.Step);
    }

    [Fact]
    public void Killed_before_any_file_operation_a_reader_finds_whole_checkpoints_and_the_run_goes_on_to_the_same_end()
    {
        using var reference = new TemporaryFolder();
        Train(reference.Path, _ => { });
        var kills = 0;
        for (var alive = true; alive; kills++)
        {
            using var folder = new TemporaryFolder();
            var completed = 0;
            alive = KilledException.Before(kills, () => Train(folder.Path, step => completed = step));

            var store = new CheckpointStore(folder.Path);
            Assert.All(store.All(), AssertWhole);
            Assert.True((store.Latest()?.Step ?? 0) >= completed, $"kill {kills}: step {completed} was saved but the newest is {store.Latest()?.Step}");
            if (store.Latest() is { } latest)
            {
                Assert.Equal(BestAt(latest.Step) ?? latest.Step, store.Best()!.Step);
            }

            // Killed once more, while cleaning up or going on, then left alone.
            KilledException.Before(kills % 7, () => Train(folder.Path, _ => { }));
            Assert.All(store.All(), AssertWhole);
            Train(folder.Path, _ => { });
            Assert.Equal(Content(reference.Path), Content(folder.Path));
        }

        output.WriteLine($"killed at {kills - 1} places");
        Assert.True(kills > 50);
    }

    [Fact]
    public void A_replaced_directory_is_the_old_or_the_new_after_any_kill()
    {
        for (int kill = 0, alive = 1; alive == 1; kill++)
        {
            using var folder = new TemporaryFolder();
            AtomicDirectory.Write(folder.In("adapter"), d => Write(d, 1));
            alive = KilledException.Before(kill, () => AtomicDirectory.Write(folder.In("adapter"), d => Write(d, 2))) ? 1 : 0;
            AtomicDirectory.CleanUp(folder.Path);
            Assert.Equal([folder.In("adapter")], Directory.GetFileSystemEntries(folder.Path));
            var step = File.ReadAllBytes(folder.In("adapter", "weights.bin"))[0];
            Assert.True(alive == 1 ? step is 1 or 2 : step == 2);
            AssertFiles(folder.In("adapter"), step);
        }
    }

    [Fact]
    public void When_the_content_cannot_be_written_nothing_changes()
    {
        using var folder = new TemporaryFolder();
        AtomicDirectory.Write(folder.In("adapter"), d => Write(d, 1));
        Assert.Throws<InvalidOperationException>(() => AtomicDirectory.Write(folder.In("adapter"), d =>
        {
            Write(d, 2);
            throw new InvalidOperationException();
        }));
        Assert.Equal([folder.In("adapter")], Directory.GetFileSystemEntries(folder.Path));
        AssertFiles(folder.In("adapter"), 1);
    }

    [Fact]
    public void A_file_is_the_old_or_the_new_after_any_kill()
    {
        for (int kill = 0, alive = 1; alive == 1; kill++)
        {
            using var folder = new TemporaryFolder();
            AtomicFile.WriteText(folder.In("state.json"), "old");
            alive = KilledException.Before(kill, () => AtomicFile.WriteText(folder.In("state.json"), "new")) ? 1 : 0;
            Assert.Contains(File.ReadAllText(folder.In("state.json")), alive == 1 ? ["old", "new"] : new[] { "new" });
            AtomicDirectory.CleanUp(folder.Path);
            Assert.Single(Directory.GetFileSystemEntries(folder.Path));
        }
    }

    /// <summary>A run of 6 checkpoints that goes on from the newest one there.</summary>
    private static void Train(string folder, Action<int> saved)
    {
        var store = new CheckpointStore(folder);
        store.CleanUp();
        for (var step = (store.Latest()?.Step ?? 0) + 1; step <= 6; step++)
        {
            Save(store, step, BestAt(step));
            saved(step);
        }
    }

    private static int? BestAt(int step) => step switch { 1 => null, < 5 => 2, _ => 5 };

    private static Checkpoint Save(CheckpointStore store, int step, int? best) =>
        store.Save(new CheckpointState { Step = step, BestStep = best, BestValidLoss = best / 3.0 }, d => Write(d, (byte)step));

    private static void Write(string directory, byte step)
    {
        using (var file = File.Create(Path.Combine(directory, "weights.bin")))
        {
            file.Write([step, step]);
            file.Flush();
            FileSteps.Announce("write the second half");
            file.Write([step, step]);
        }

        FileSteps.CreateDirectory(Path.Combine(directory, "inner"));
        FileSteps.Announce("write the optimizer");
        File.WriteAllBytes(Path.Combine(directory, "inner", "optimizer.bin"), [step]);
    }

    private static void AssertWhole(Checkpoint checkpoint) => AssertFiles(checkpoint.Path, (byte)checkpoint.Step);

    private static void AssertFiles(string directory, byte step)
    {
        Assert.Equal([step, step, step, step], File.ReadAllBytes(Path.Combine(directory, "weights.bin")));
        Assert.Equal([step], File.ReadAllBytes(Path.Combine(directory, "inner", "optimizer.bin")));
    }

    private static string[] Content(string folder) =>
    [
        .. Directory.GetFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(f => $"{Path.GetRelativePath(folder, f)}: {Convert.ToHexString(File.ReadAllBytes(f))}").Order(StringComparer.Ordinal),
    ];
}
