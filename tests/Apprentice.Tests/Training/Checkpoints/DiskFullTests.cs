using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Training.Checkpoints;

[Trait("Category", "Fault")]
public class DiskFullTests
{
    [SkippableFact]
    public void A_full_disk_is_said_clearly_and_the_last_good_checkpoint_stays()
    {
        using var disk = SmallDisk.Mount();
        var run = RunFolder.Create(Path.Combine(disk.Path, "run"));
        run.WriteState(new RunState(RunStatus.Running, 120));
        var store = run.Checkpoints();
        store.Save(new CheckpointState { Step = 120 }, d => File.WriteAllBytes(Path.Combine(d, "weights.bin"), new byte[300_000]));

        var seenComing = Assert.Throws<RunFailedException>(() => store.Save(new CheckpointState { Step = 140 }, _ => Assert.Fail("not to be begun"), expectedBytes: 2_000_000));
        var tooLate = Assert.Throws<RunFailedException>(() => store.Save(new CheckpointState { Step = 140 }, d => File.WriteAllBytes(Path.Combine(d, "weights.bin"), new byte[2_000_000])));
        foreach (var failure in new[] { seenComing, tooLate })
        {
            Assert.Equal("disk_full", failure.Code);
            Assert.Contains("step-000140", failure.Message, StringComparison.Ordinal);
            Assert.Contains("the last good checkpoint is step-000120", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(120, store.Latest()!.Step);
        Assert.Single(Directory.GetFileSystemEntries(run.CheckpointsFolder));
        run.WriteState(new RunState(RunStatus.Failed, 120, tooLate.Message)); // the half-written checkpoint gave its space back
        Assert.Equal(RunStatus.Failed, run.ReadState().Status);
    }

    [SkippableFact]
    public void State_and_events_survive_a_full_disk()
    {
        using var disk = SmallDisk.Mount();
        var run = RunFolder.Create(Path.Combine(disk.Path, "run"));
        run.WriteState(new RunState(RunStatus.Running, 1));
        using var log = EventLog.Open(run.EventsFile);
        log.Append(new RunEvent { Type = RunEventType.Message, Step = 1, Message = "begun" });
        using (var rest = File.Create(Path.Combine(disk.Path, "rest")))
        {
            Assert.True(DiskSpace.IsFull(Assert.Throws<IOException>(() => rest.Write(new byte[2_000_000]))));
        }

        Assert.Equal("disk_full", Assert.Throws<RunFailedException>(() => run.WriteState(new RunState(RunStatus.Running, 2, new string('x', 9000)))).Code);
        Assert.Equal(1, run.ReadState().Step);
        Assert.Equal("disk_full", Assert.Throws<RunFailedException>(() =>
        {
            for (var step = 2; step < 10; step++)
            {
                log.Append(new RunEvent { Type = RunEventType.Message, Step = step, Message = new string('x', 3000) });
            }
        }).Code);

        File.Delete(Path.Combine(disk.Path, "rest"));
        log.Append(new RunEvent { Type = RunEventType.Message, Step = 10, Message = "space again" });
        Assert.Equal((1, 10), (EventLog.Read(run.EventsFile)[0].Step, EventLog.Read(run.EventsFile)[^1].Step));
    }
}
