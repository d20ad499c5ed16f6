using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Xunit.Abstractions;

namespace Apprentice.Tests.Data.Datasets;

[Trait("Category", "Hostile")]
public class HostileDatasetTests(ITestOutputHelper output)
{
    private static readonly string[] Originals =
    [
        """{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":"x","weight":0},{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}}]}],"tools":[{"type":"function"}]}""",
        """{"prompt":"p \u00e9 \ud83d\ude00","completion":"c"}""",
        """{"instruction":"i","input":"n","output":"o","system":"s","history":[["q","a"]]}""",
        """{"conversations":[{"from":"human","value":"q"},{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{}}"},{"from":"gpt","value":"a"}],"tools":"[{}]"}""",
        """{"text":"one\ntwo"}""",
    ];

    private static readonly byte[][] Splices =
    [
        "{"u8.ToArray(), "["u8.ToArray(), "]"u8.ToArray(), "\""u8.ToArray(), "\\ud800"u8.ToArray(), "\\u0000"u8.ToArray(), "null"u8.ToArray(), "1e999"u8.ToArray(),
        "\n"u8.ToArray(), "\r"u8.ToArray(), [0xEF, 0xBB, 0xBF], [0xFF], [0xE9], [0], "\"role\":\"user\","u8.ToArray(), Encoding.UTF8.GetBytes(new string('[', 3000)), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 500))),
    ];

    [Fact]
    public void TenThousandMutatedFiles_EndInSuccessOrAClearError()
    {
        var random = new CounterRandom(20261122, RandomStream.Sampling);
        var position = 0UL;
        int Draw(int bound) => random.Below(bound, position++);
        var (good, slowest) = (0, TimeSpan.Zero);
        for (var file = 0; file < 10_000; file++)
        {
            var line = Originals[Draw(Originals.Length)];
            var text = Draw(2) == 0 ? line + "\n" + line + "\r\n" + line : $"[{line},\n {line}]";
            var bytes = Encoding.UTF8.GetBytes(text).ToList();
            for (var changes = 1 + Draw(3); changes > 0 && bytes.Count > 0; changes--)
            {
                var at = Draw(bytes.Count);
                switch (Draw(5))
                {
                    case 0: bytes[at] = (byte)Draw(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(1 + Draw(20), bytes.Count - at)); break;
                    case 2: bytes.InsertRange(at, Splices[Draw(Splices.Length)]); break;
                    case 3: bytes.InsertRange(at, bytes.GetRange(Draw(at + 1), Math.Min(30, bytes.Count - at))); break;
                    default: bytes.RemoveRange(at, bytes.Count - at); break;
                }
            }

            var clock = ThreadClock.StartNew();
            try
            {
                var dataset = DatasetReader.Read("f", bytes.ToArray());
                Assert.All(dataset.Examples, example => Assert.NotNull(example.Expected + Split.InputOf(example)));
                good++;
            }
            catch (InputException e)
            {
                Assert.Equal("f", e.File);
                Assert.True(e.Line is null or > 0);
            }

            slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
        }

        output.WriteLine($"10000 files, {good} still good; slowest {slowest.TotalMilliseconds:F1} ms");
        Assert.True(slowest < TimeSpan.FromSeconds(1));
        Assert.InRange(good, 100, 9_000);
    }

    /// <summary>Files made to be slow or to cost memory.</summary>
    [Theory]
    [InlineData("{\"a\":", 1_000_000)]
    [InlineData("[", 2_000_000)]
    [InlineData("\n", 2_000_000)]
    [InlineData("\r", 2_000_000)]
    [InlineData("[1],", 1_000_000)]
    [InlineData("x\n", 2_000_000)]
    [InlineData("{}\n", 2_000_000)]
    [InlineData("\\ud800", 500_000)]
    public void Repetition_CostsLittle(string unit, int times)
    {
        foreach (var text in new[] { string.Concat(Enumerable.Repeat(unit, times)), "[" + string.Concat(Enumerable.Repeat(unit, times)), "{\"text\":\"" + string.Concat(Enumerable.Repeat(unit, times)) + "\"}" })
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var clock = ThreadClock.StartNew();
            var error = Record.Exception(() => DatasetReader.Read("f", bytes));
            Assert.True(error is null or InputException, $"{error}");
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{clock.Elapsed}");
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < bytes.Length + (64 << 20));
        }
    }

    /// <summary>Ten thousand different names in one record, and the same one again at the end.</summary>
    [Fact]
    public void ManyNames_AreNotQuadratic()
    {
        var fields = string.Concat(Enumerable.Range(0, 60_000).Select(i => $"\"n{i}\":{i},"));
        var clock = ThreadClock.StartNew();
        Assert.Equal("duplicate_key", Assert.Throws<InputException>(() => DatasetReader.Read("f", Encoding.UTF8.GetBytes($"{{{fields}\"n5\":1}}"))).Code);
        Assert.Equal("unknown_format", Assert.Throws<InputException>(() => DatasetReader.Read("f", Encoding.UTF8.GetBytes($"{{{fields}\"n\":1}}"))).Code);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{clock.Elapsed}");
    }
}
