using System.Text;
using Apprentice.Data.Datasets;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Data.Datasets;

public class DatasetReaderTests
{
    private const string Pair = """{"prompt":"p","completion":"c"}""";

    private static Dataset Read(string text, DatasetFormat? format = null) => DatasetReader.Read("data.jsonl", Encoding.UTF8.GetBytes(text), format);

    private static string Show(Example example) => string.Join(" ", example.Messages.Select(message => $"{message["role"]}:{message["content"]}"));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void AnyLineEnd_BlankLinesAndByteOrderMark(string end)
    {
        foreach (var start in new[] { "", "\uFEFF" })
        {
            foreach (var last in new[] { "", end, end + end, " \t" })
            {
                var dataset = Read(start + Pair + end + " \t" + end + end + Pair + end + Pair + last);
                Assert.Equal([1, 4, 5], dataset.Examples.Select(example => example.Line));
            }
        }
    }

    [Fact]
    public void JsonArray_KeepsTheLineOfEachElement()
    {
        var dataset = Read($"\uFEFF\r\n[\r\n{Pair}, {Pair},\r\n\r\n{{\n\"prompt\": \"[1,2]\",\r\"completion\": \"c\"\n}}\n]\n");
        Assert.Equal([3, 3, 5], dataset.Examples.Select(example => example.Line));
        Assert.Equal("user:[1,2] assistant:c", Show(dataset.Examples[2]));
    }

    [Fact]
    public void PromptCompletion_KeepsTheStrings()
    {
        var example = Read("""{"prompt":" a\n","completion":" b ","id":3}""").Examples.Single();
        Assert.Equal((" a\n", " b "), example.Raw);
        Assert.Equal("user: a\n assistant: b ", Show(example));
        Assert.Equal(" b ", example.Expected);
        Assert.Equal("user", (string?)example.Prompt.Single()["role"]);
    }

    [Fact]
    public void Chat_WeightsToolsAndParts()
    {
        var dataset = Read("""
            {"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"x","weight":0},{"role":"user","content":"u"},{"role":"assistant","content":"y","weight":1}],"tools":[{"type":"function"}]}
            {"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]}]}
            """);
        Assert.Equal(DatasetFormat.Chat, dataset.Format);
        var first = dataset.Examples[0];
        Assert.Equal("system:s user:ab assistant:x user:u assistant:y", Show(first));
        Assert.Equal([0, 0, 0, 0, 1], first.Weights);
        Assert.DoesNotContain(first.Messages, message => message.ContainsKey("weight"));
        Assert.Single(first.Tools!);
        Assert.Equal(("y", 4), (first.Expected, first.Prompt.Count));
        Assert.Equal("""{"a":1}""", dataset.Examples[1].Messages[1]["tool_calls"]![0]!["function"]!["arguments"]!.ToJsonString());
        Assert.Equal("", dataset.Examples[1].Expected);
    }

    [Theory]
    [InlineData("""{"instruction":"i","input":"","output":"o"}""", "user:i assistant:o")]
    [InlineData("""{"instruction":"i","input":null,"output":"o","text":"all of it"}""", "user:i assistant:o")]
    [InlineData("""{"instruction":"i","input":"n","output":"o"}""", "user:i\nn assistant:o")]
    [InlineData("""{"instruction":"i","output":"o","system":"s","history":[["q","a"],["r","b"]]}""", "system:s user:q assistant:a user:r assistant:b user:i assistant:o")]
    [InlineData("""{"conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"},{"from":"gpt","value":"a"}]}""", "system:s user:q assistant:a")]
    [InlineData("""{"system":"s","conversations":[{"from":"user","value":"q"},{"from":"assistant","value":"a"}],"tools":""}""", "system:s user:q assistant:a")]
    [InlineData("""{"conversations":[{"from":"human","value":"q"},{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{}}"},{"from":"observation","value":"[]"},{"from":"gpt","value":"a"}],"tools":"[{}]"}""", "user:q assistant: tool:[] assistant:a")]
    public void InstructionAndShareGpt(string line, string messages) => Assert.Equal(messages, Show(Read(line).Examples.Single()));

    [Fact]
    public void PlainText()
    {
        var example = Read("""{"text":"one\ntwo \ud83d\ude00"}""").Examples.Single();
        Assert.Equal(("one\ntwo 😀", 0, "one\ntwo 😀"), (example.Text, example.Messages.Count, example.Expected));
    }

    [Fact]
    public void StatedFormat_WinsOverWhatTheFieldsShow()
    {
        const string Both = """{"messages":[],"text":"t"}""";
        Assert.Equal("t", Read(Both, DatasetFormat.Text).Examples.Single().Text);
        Assert.Equal("c", Read("""{"prompt":"p","completion":"c","label":true}""", DatasetFormat.PromptCompletion).Examples.Single().Expected);
    }

    [Fact]
    public void LongLine_IsReadInNoTime()
    {
        var example = Read($$"""{"text":"{{new string('x', 10 << 20)}}"}""").Examples.Single();
        Assert.Equal(10 << 20, example.Text!.Length);
    }

    /// <summary>Sets as people publish them.</summary>
    [SkippableTheory]
    [InlineData("data/llamafactory/alpaca_en_demo.json", DatasetFormat.Instruction)]
    [InlineData("data/llamafactory/identity.json", DatasetFormat.Instruction)]
    [InlineData("data/llamafactory/glaive_toolcall_en_demo.json", DatasetFormat.ShareGpt)]
    [InlineData("data/llamafactory/c4_demo.jsonl", DatasetFormat.Text)]
    [InlineData("peers/banking77-10shot/train.jsonl", DatasetFormat.PromptCompletion)]
    public void PublishedSets(string path, DatasetFormat format)
    {
        var dataset = DatasetReader.Read(GoldenData.RequireShared(path));
        Assert.Equal(format, dataset.Format);
        Assert.True(dataset.Examples.Count > 50);
    }

    [SkippableTheory]
    [InlineData("data/llamafactory/dpo_en_demo.json", "--format preference")]
    [InlineData("data/llamafactory/kto_en_demo.json", "formats: ")]
    public void PublishedPreferenceSets_AreTrainedOnOnlyIfSaid(string path, string hint)
    {
        var error = Assert.Throws<Apprentice.Data.InputException>(() => DatasetReader.Read(GoldenData.RequireShared(path)));
        Assert.Equal("preference_data", error.Code);
        Assert.Contains(hint, error.Hint, StringComparison.Ordinal);
    }
}
