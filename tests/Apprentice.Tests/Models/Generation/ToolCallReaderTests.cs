using System.Text.Json;
using Apprentice.Models.Generation;

namespace Apprentice.Tests.Models.Generation;

public sealed class ToolCallReaderTests
{
    private const string Call = """<tool_call>{"name": "track", "arguments": {"order": 7}}</tool_call>""";

    [Theory]
    [InlineData("no call at all, 1 < 2 and <tool", "no call at all, 1 < 2 and <tool", "")]
    [InlineData(Call, "", "track {\"order\":7}")]
    [InlineData("I look.\n" + Call + "\n" + Call + "\n", "I look.\n", "track {\"order\":7}; track {\"order\":7}")]
    [InlineData("<tool_call>{\"name\": \"track\", \"arguments\": {\"ord", "<tool_call>{\"name\": \"track\", \"arguments\": {\"ord", "")]
    [InlineData("<tool_call>[1]</tool_call>", "<tool_call>[1]</tool_call>", "")]
    [InlineData("<tool_call>{\"name\": \"a\", \"arguments\": {\"x\": 1, \"x\": 2}}</tool_call>", "<tool_call>{\"name\": \"a\", \"arguments\": {\"x\": 1, \"x\": 2}}</tool_call>", "")]
    public void Calls_are_told_from_text_however_it_is_cut(string answer, string text, string calls)
    {
        foreach (var length in new[] { 1, 3, answer.Length })
        {
            var reader = new ToolCallReader();
            var shown = string.Concat(answer.Chunk(length).Select(piece => reader.Push(new string(piece))));
            var (rest, found) = reader.Finish();
            Assert.Equal(text, shown + rest);
            Assert.Equal(calls, string.Join("; ", found.Select(c => $"{c.Name} {JsonSerializer.Serialize(c.Arguments)}")));
        }
    }

    [Fact]
    public void Depth_has_a_limit() =>
        Assert.Empty(Finish("<tool_call>{\"name\": \"a\", \"arguments\": {\"x\": " + new string('[', 1000) + new string(']', 1000) + "}}</tool_call>"));

    private static IReadOnlyList<object> Finish(string answer)
    {
        var reader = new ToolCallReader();
        _ = reader.Push(answer);
        return reader.Finish().Calls;
    }
}
