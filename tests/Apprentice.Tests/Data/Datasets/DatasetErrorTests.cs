using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Data.Datasets;

public class DatasetErrorTests
{
    private const string Good = """{"prompt":"p","completion":"c"}""";

    private static InputException Fail(string text, DatasetFormat? format = null) =>
        Assert.Throws<InputException>(() => DatasetReader.Read("data.jsonl", Encoding.UTF8.GetBytes(text), format));

    /// <summary>Each record is put on line 3 of a file; the message must name the line and say the words.</summary>
    [Theory]
    [InlineData("""{"prompt":"p","completion":3}""", "wrong_type", "field 'completion' is a number; a string is needed")]
    [InlineData("""{"prompt":null,"completion":"c"}""", "wrong_type", "field 'prompt' is null; a string is needed")]
    [InlineData("""{"prompt":"p"}""", "missing_field", "field 'completion' is missing")]
    [InlineData("""{"prompt":"p","completion":" \n"}""", "empty_completion", "field 'completion' is empty")]
    [InlineData("""{"prompt":"p","completion":"c","completion":"d"}""", "duplicate_key", "twice")]
    [InlineData("""{"prompt":"p","completion":"\ud83d."}""", "lone_surrogate", "field 'completion'")]
    [InlineData("""{"prompt":"p" "completion":"c"}""", "not_json", "column 15")]
    [InlineData("""{"prompt":"é","completion":c}""", "not_json", "column 28")]
    [InlineData("""{"prompt":"p",""", "not_json", "line 3, column")]
    [InlineData("""{"prompt":"p","completion":"c"} {}""", "not_json", "line 3, column 33")]
    [InlineData("""["p","c"]""", "wrong_type", "not a JSON object")]
    [InlineData("""{"text":"t"}""", "mixed_formats", "prompt/completion but this record is plain text")]
    [InlineData("""{"prompt":"p","chosen":"c","rejected":"r"}""", "preference_data", "chosen and rejected")]
    [InlineData("""{"prompt":"p","completion":"c","label":false}""", "preference_data", "KTO")]
    [InlineData("""{"question":"q"}""", "missing_field", "field 'prompt' is missing")]
    public void Record_OfAPromptCompletionFile(string record, string code, string words) => AssertError(Good + "\n\n" + record, code, words);

    [Theory]
    [InlineData("""{"messages":3}""", "wrong_type", "field 'messages' is a number; an array is needed")]
    [InlineData("""{"messages":[]}""", "no_assistant_message", "no assistant message")]
    [InlineData("""{"messages":[1]}""", "wrong_type", "field 'messages[0]' is a number; an object is needed")]
    [InlineData("""{"messages":[{"content":"c"}]}""", "missing_field", "field 'messages[0].role' is missing")]
    [InlineData("""{"messages":[{"role":"bot","content":"c"}]}""", "unknown_role", "'bot'; one of system,")]
    [InlineData("""{"messages":[{"role":"user","content":"c"}]}""", "no_assistant_message", "nothing to learn")]
    [InlineData("""{"messages":[{"role":"assistant","content":"c"},{"role":"user","content":"c"}]}""", "not_ending_in_assistant", "ends in a message of 'user'")]
    [InlineData("""{"messages":[{"role":"assistant","content":""}]}""", "empty_completion", "field 'messages[0].content' is empty")]
    [InlineData("""{"messages":[{"role":"assistant","content":null}]}""", "wrong_type", "field 'messages[0].content' is null")]
    [InlineData("""{"messages":[{"role":"assistant","content":"c","weight":0.5}]}""", "bad_weight", "field 'messages[0].weight' is 0.5; 0 or 1")]
    [InlineData("""{"messages":[{"role":"assistant","content":"c","weight":"1"}]}""", "bad_weight", "0 or 1")]
    [InlineData("""{"messages":[{"role":"user","content":"c","weight":1}]}""", "bad_weight", "only assistant messages")]
    [InlineData("""{"messages":[{"role":"assistant","content":"c","weight":0}]}""", "nothing_supervised", "weight 0")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "unsupported_content", "'image_url'; only text")]
    [InlineData("""{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{"}}]}]}""", "not_json", "tool_calls[0].function.arguments")]
    [InlineData("""{"messages":[{"role":"assistant","content":"c"}],"tools":"t"}""", "wrong_type", "field 'tools' is a string")]
    [InlineData("""{"conversations":[{"from":"narrator","value":"v"}]}""", "unknown_role", "field 'conversations[0].from' is 'narrator'")]
    [InlineData("""{"conversations":[{"from":"gpt"}]}""", "missing_field", "field 'conversations[0].value'")]
    [InlineData("""{"instruction":"i","output":["o"]}""", "wrong_type", "field 'output' is an array")]
    [InlineData("""{"instruction":"i","output":"o","history":[["q"]]}""", "wrong_type", "field 'history[0]' has 1 entries")]
    [InlineData("""{"text":""}""", "empty_completion", "field 'text'")]
    [InlineData("""{"question":"q","answer":"a"}""", "unknown_format", "'question', 'answer'")]
    [InlineData("""{"input":{"messages":[]},"preferred_output":[],"non_preferred_output":[]}""", "preference_data", "preferred_output")]
    public void FirstRecord(string record, string code, string words) => AssertError("\r\n\r\n" + record, code, words);

    private static void AssertError(string text, string code, string words)
    {
        var error = Fail(text);
        Assert.Equal((code, "data.jsonl", 3L), (error.Code, error.File, error.Line ?? 0));
        Assert.StartsWith("line 3", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BrokenArray_NamesLineAndColumn()
    {
        var error = Fail($"[\n{Good},\n  {{\"prompt\": oops}}\n]");
        Assert.Equal(("not_json", 3L), (error.Code, error.Line ?? 0));
        Assert.Contains("line 3, column 14", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF \r\n\n")]
    [InlineData("[]")]
    public void NoExamples(string text) => Assert.Equal("no_examples", Fail(text).Code);

    [Fact]
    public void FurtherMistakes_AreCounted()
    {
        Assert.Contains("(and 2 further records are bad)", Fail("{}\n" + Good + "\nx\n{\"text\":1}").Message, StringComparison.Ordinal);
        Assert.Contains("(and at least 100 further records are bad)", Fail(string.Concat(Enumerable.Repeat("x\n", 1000))).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("further", Fail("x\n" + Good).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_ThatAreNotUtf8()
    {
        byte[] latin1 = [.. "{\"text\":\"a\"}\n{\"text\":\"caf"u8, 0xE9, .. "\"}"u8];
        var error = Assert.Throws<InputException>(() => DatasetReader.Read("d", latin1));
        Assert.Equal(("invalid_utf8", 2L), (error.Code, error.Line ?? 0));
        Assert.Equal("invalid_utf8", Assert.Throws<InputException>(() => DatasetReader.Read("d", (byte[])[0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Good)])).Code);
    }

    [Fact]
    public void Limits_AreNamed()
    {
        Assert.Equal("too_deep", Fail($$"""{"text":{{new string('[', 100)}}{{new string(']', 100)}}}""").Code);
        Assert.Equal("too_deep", Fail(string.Concat(Enumerable.Repeat("{\"a\":", 100_000))).Code);
        Assert.Equal("too_large", Fail($$"""{"text":[{{string.Join(',', Enumerable.Repeat('1', 300_000))}}]}""").Code);
        Assert.Equal("too_large", Fail($$"""{"text":"{{new string('x', 17 << 20)}}"}""").Code);
        Assert.Equal("not_json", Fail(new string('[', 1_000_000)).Code);
    }

    [Fact]
    public void Files_ThatAreNotThereOrNotOurs()
    {
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => DatasetReader.Read("no/such.jsonl")).Code);
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => DatasetReader.Read(Path.GetTempPath())).Code);
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => DatasetReader.Read("table.CSV")).Code);
    }

    [Theory]
    [InlineData("t.jsonl", "hello, world\n", "not_json", "column 1")]
    [InlineData("t.jsonl", "{\"prompt\": \"a, b\"\n{\"prompt\": \"a, b\"\n", "not_json", "line 1")]
    [InlineData("t.jsonl", "%PDF-1.7 ", "unknown_format", "a PDF")]
    [InlineData("t.jsonl", "  <!DOCTYPE HTML>", "unknown_format", "a web page")]
    [InlineData("t.jsonl", "GGUF", "unknown_format", "a model")]
    public void Files_ThatHoldNoJson_AreNamed(string name, string text, string code, string words)
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File(name), text);
        var error = Assert.Throws<InputException>(() => DatasetReader.Read(folder.File(name)));
        Assert.Equal(code, error.Code);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }
}
