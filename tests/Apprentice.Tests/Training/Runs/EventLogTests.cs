using Apprentice.Data;
using Apprentice.Tests.Training.Checkpoints;
using Apprentice.Training.Runs;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Training.Runs;

public class EventLogTests
{
    [Fact]
    public void Killed_at_any_byte_and_resumed_the_log_is_that_of_the_run_never_killed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.In("events.jsonl");
        Write(path, from: 0, to: 6, checkpoint: null);
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length <= whole.Length; length++)
        {
            // Steps 2 and 4 have checkpoints, each saved after its events.
            var written = whole.AsSpan(0, length).Count((byte)'\n') - 1;
            var checkpoint = written >= 4 ? 4 : written >= 2 ? 2 : -1;
            File.WriteAllBytes(path, whole[..length]);
            Write(path, Math.Max(0, checkpoint + 1), 6, checkpoint);
            Assert.Equal(whole, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void Doubles_read_back_to_the_same_bits()
    {
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<double>(), ArbMap.Default.ArbFor<double>(), (loss, lr) =>
        {
            using var folder = new TemporaryFolder();
            var item = new RunEvent { Type = RunEventType.Metrics, Step = 3, TrainLoss = loss, Lr = lr };
            using (var log = EventLog.Open(folder.In("e")))
            {
                log.Append(item);
                Assert.Equal(item, Assert.Single(EventLog.Read(folder.In("e")))); // while it is open
            }
        }));
    }

    [Fact]
    public void A_line_has_the_names_of_the_contract_and_nothing_unmeasured()
    {
        using var folder = new TemporaryFolder();
        using (var log = EventLog.Open(folder.In("e")))
        {
            log.Append(new RunEvent { Type = RunEventType.Metrics, Step = 3, Epoch = 0.5, TrainLoss = 0.1, ValidLoss = 2, Lr = 1e-3, GradNorm = 1.5, TokensPerSecond = 100 });
            log.Append(new RunEvent { Type = RunEventType.Message, Step = 3, Message = "früh\nstopped" });
        }

        Assert.Equal(
            [
                """{"type":"metrics","step":3,"epoch":0.5,"train_loss":0.1,"valid_loss":2,"lr":0.001,"grad_norm":1.5,"tokens_per_second":100}""",
                """{"type":"message","step":3,"message":"fr\u00FCh\nstopped"}""",
            ],
            File.ReadAllLines(folder.In("e")));
    }

    [Theory]
    [InlineData("{\"type\":\"metrics\",\"step\":1}\nnonsense\n", 2)]
    [InlineData("null\n", 1)]
    [InlineData("{\"type\":\"metrics\"}\n", 1)]
    [InlineData("{\"type\":\"other\",\"step\":1}\n", 1)]
    public void A_whole_line_that_is_no_event_is_an_error_with_its_line(string text, int line)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("e"), text);
        var e = Assert.Throws<InputException>(() => EventLog.Read(folder.In("e")));
        Assert.Equal(("bad_events", (long?)line), (e.Code, e.Line));
        Assert.Throws<InputException>(() => EventLog.Open(folder.In("e")));
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("e"), new string('x', 2_000_000));
        Assert.Throws<InputException>(() => EventLog.Read(folder.In("e")));
    }

    private static void Write(string path, int from, int to, int? checkpoint)
    {
        using var log = checkpoint is { } step ? EventLog.CutAfter(path, step) : EventLog.Open(path);
        for (var s = from; s <= to; s++)
        {
            log.Append(new RunEvent { Type = RunEventType.Metrics, Step = s, TrainLoss = 1.0 / (s + 1) });
        }
    }
}
