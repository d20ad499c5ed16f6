using System.Text.Json;
using Apprentice.Tests.Golden;
using Apprentice.Training.Schedules;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Apprentice.Tests.Training.Schedules;

public class ScheduleTests(ITestOutputHelper output)
{
    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Golden_multipliers_are_met_at_every_step()
    {
        var folder = GoldenData.RequireFolder("training/schedules");
        int passed = 0, skipped = 0;
        var skippedKinds = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var testCase in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                var name = testCase.GetProperty("name").GetString();
                if (FromGolden(testCase) is not { } schedule)
                {
                    skipped++;
                    skippedKinds.Add(testCase.GetProperty("kind").GetString()!);
                    continue;
                }

                var expected = testCase.GetProperty("multipliers").EnumerateArray().Select(m => m.GetDouble()).ToArray();
                for (var step = 0; step < expected.Length; step++)
                {
                    var actual = schedule.Multiplier(step) * testCase.GetProperty("base_lr").GetDouble();
                    Assert.True(Math.Abs(actual - expected[step]) <= 1e-9, $"{name}, step {step}: {actual:R}, expected {expected[step]:R}");
                }

                passed++;
            }
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because the schedule is not offered: {string.Join(", ", skippedKinds)}");
        Assert.True(passed > 0);
    }

    [Fact]
    public void Every_schedule_stays_between_its_minimum_and_one_and_never_rises_after_warm_up()
    {
        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<NonNegativeInt>(), ArbMap.Default.ArbFor<PositiveInt>(), ArbMap.Default.ArbFor<byte>(),
            (warmup, rest, ratio) =>
            {
                int w = warmup.Get, total = warmup.Get + rest.Get, decay = (rest.Get + 1) / 2;
                var minimum = ratio / 256.0;
                Schedule[] all =
                [
                    new ConstantSchedule(w), new LinearSchedule(w, total, minimum), new CosineSchedule(w, total, minimum),
                    .. Enum.GetValues<ScheduleShape>().Select(s => new WarmupStableDecaySchedule(w, rest.Get - decay, decay, minimum, s, s)),
                ];
                foreach (var schedule in all)
                {
                    var values = Enumerable.Range(0, total + 1).Select(schedule.Multiplier).ToArray();
                    Assert.All(values, v => Assert.InRange(v, 0, 1 + 1e-12));
                    Assert.Equal(1, values[w], 12);
                    Assert.All(values.Skip(w), v => Assert.InRange(v, minimum - 1e-12, 1 + 1e-12));
                    Assert.All(values.Take(w + 1).Zip(values.Skip(1).Take(w)), p => Assert.True(p.First <= p.Second + 1e-12));
                    Assert.All(values.Skip(w).Zip(values.Skip(w + 1)), p => Assert.True(p.First >= p.Second - 1e-12));
                }
            }));
    }

    [Fact]
    public void The_first_step_of_a_warm_up_learns_nothing()
    {
        Assert.Equal(0, new CosineSchedule(10, 100).Multiplier(0));
        Assert.Equal(0, new ConstantSchedule(10).Multiplier(0));
        Assert.Equal(1, new CosineSchedule(0, 100).Multiplier(0));
    }

    /// <summary>Null where the case is of a kind, or has an option, that is not offered.</summary>
    private static Schedule? FromGolden(JsonElement testCase)
    {
        int warmup = testCase.GetProperty("warmup_steps").GetInt32(), total = testCase.GetProperty("total_steps").GetInt32();
        var extra = testCase.GetProperty("extra").EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        if (extra.TryGetValue("num_cycles", out var cycles) && cycles.GetDouble() != 0.5)
        {
            return null;
        }

        double Number(string name, double otherwise) => extra.TryGetValue(name, out var value) ? value.GetDouble() : otherwise;
        switch (testCase.GetProperty("kind").GetString())
        {
            case "constant":
                return new ConstantSchedule(0);
            case "constant_with_warmup":
                return new ConstantSchedule(warmup);
            case "linear":
                return new LinearSchedule(warmup, total);
            case "cosine":
                return new CosineSchedule(warmup, total);
            case "cosine_with_min_lr":
                return new CosineSchedule(warmup, total,
                    Number("min_lr_rate", Number("min_lr", 0) / testCase.GetProperty("base_lr").GetDouble()));
            case "warmup_stable_decay":
                var decay = (int)Number("num_decay_steps", 0);
                return new WarmupStableDecaySchedule(warmup, (int)Number("num_stable_steps", total - warmup - decay), decay,
                    Number("min_lr_ratio", 0), Shape("warmup_type", ScheduleShape.Linear), Shape("decay_type", ScheduleShape.Cosine));
            default:
                return null;
        }

        ScheduleShape Shape(string name, ScheduleShape otherwise) => !extra.TryGetValue(name, out var value) ? otherwise : value.GetString() switch
        {
            "linear" => ScheduleShape.Linear,
            "cosine" => ScheduleShape.Cosine,
            "1-sqrt" => ScheduleShape.OneMinusSquareRoot,
            var other => throw new InvalidDataException($"unknown shape {other}"),
        };
    }
}
