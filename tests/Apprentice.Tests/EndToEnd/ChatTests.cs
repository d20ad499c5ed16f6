using System.Text.Json.Nodes;

namespace Apprentice.Tests.EndToEnd;

/// <summary>chat without a terminal: a line of standard input is a message.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ChatTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task Each_line_is_answered_with_what_was_said_before_in_mind()
    {
        var json = (await Chat("the card\n\nthe top up\n", "--max-tokens", "6", "--system", "Sort.", "--json")).Json;
        var messages = json.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("role").GetString());
        Assert.Equal(["system", "user", "assistant", "user", "assistant"], messages);
        var answers = json.GetProperty("answers").EnumerateArray().ToArray();
        Assert.Equal((2, 0), (answers.Length, answers[0].GetProperty("cached_tokens").GetInt32()));
        Assert.True(answers[1].GetProperty("cached_tokens").GetInt32() >= answers[0].GetProperty("prompt_tokens").GetInt32() - 1);

        var first = (await work.Done("generate --model m --max-tokens 6 --system Sort. --prompt", "the card")).GetProperty("text").GetString();
        Assert.Equal(first, answers[0].GetProperty("text").GetString());
        var plain = await Chat("the card\n", "--max-tokens", "6", "--system", "Sort.");
        Assert.Equal((0, $"{first}\n", "cut after 6 tokens; --max-tokens allows longer answers\n"), (plain.Exit, plain.Output, plain.Error));
    }

    [Fact]
    public async Task Words_to_the_program()
    {
        var run = await Chat("/system\n/system Be brief.\nx\n/save a.jsonl\n/reset\ny\n/save a.jsonl\n/system none\n/etc/hosts is what?\n/help\n/exit\nz\n", "--max-tokens", "3", "--json");
        Assert.Equal(0, run.Exit);
        Assert.Equal(2 * 2, run.Json.GetProperty("messages").GetArrayLength());
        Assert.Equal("/etc/hosts is what?", run.Json.GetProperty("messages")[2].GetProperty("content").GetString());
        var saved = JsonNode.Parse(Assert.Single(File.ReadAllLines(work.In("a.jsonl"))))!["messages"]!.AsArray();
        Assert.Equal(["Be brief.", "y"], saved.Take(2).Select(m => (string?)m!["content"]));
        foreach (var note in new[] { "there is no system message", "saved to a.jsonl", "this is a new conversation", "/save FILE" })
        {
            Assert.Contains(note, run.Error, StringComparison.Ordinal);
        }

        await work.Done("train --model m --data a.jsonl --out r --max-steps 1 --validation none"); // what is saved can be trained on
    }

    [Theory]
    [InlineData("/rset\n", "there is no /rset", "did you mean '/reset'?")]
    [InlineData("/save\n", "/save needs a file", "conversation.jsonl")]
    [InlineData("/save a.jsonl\n", "no answer to be saved", "")]
    [InlineData("x\n/save bank.jsonl\n", "bank.jsonl: this file is there already", "another name")]
    public async Task What_cannot_be_done(string input, string wrong, string hint)
    {
        var run = await Chat(input, "--max-tokens", "1");
        Assert.Equal(2, run.Exit);
        Assert.Contains(wrong, run.Error, StringComparison.Ordinal);
        Assert.Contains(hint, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_outgrows_the_context()
    {
        var run = await Chat($"x\n{new string('y', 300)}\n", "--max-tokens", "1");
        Assert.Equal(2, run.Exit);
        Assert.Contains("and the model's context is 256, which leaves no room for an answer", run.Error, StringComparison.Ordinal);
        Assert.Contains("/reset begins a new conversation", run.Error, StringComparison.Ordinal);
        Assert.Contains("fills the model's context of 256 tokens", (await Chat("x\n", "--max-tokens", "1000")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_without_a_template_says_so_before_anything_was_typed()
    {
        File.WriteAllText(work.In("m", "tokenizer_config.json"), """{"eos_token": "<|end|>"}""");
        Assert.Contains("give --raw", (await Chat("x\n")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await Chat("x\n", "--raw", "--max-tokens", "2")).Exit);
    }

    /// <summary>The model goes on for minutes; the conversation after it is answered at once.</summary>
    [SkippableFact]
    public async Task Interrupted_the_answer_ends_and_the_conversation_goes_on()
    {
        var config = work.ReadJson("m", "config.json");
        config["max_position_embeddings"] = 1_000_000;
        File.WriteAllText(work.In("m", "config.json"), config.ToJsonString());
        using var cli = CliProcess.Start(["chat", "--model", "m", "--max-tokens", "900000"], folder: work.Path, input: "/help\nthe card\n/system\n");
        await cli.LineAsync(line => line.StartsWith("Ctrl-C", StringComparison.Ordinal));
        await Task.Delay(TimeSpan.FromSeconds(1));
        cli.Interrupt();
        var run = await cli.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(0, run.Exit);
        Assert.Matches(@"\nstopped( before it began; the message is taken back)?\nthere is no system message\n$", run.Error); // a loaded machine may not have begun
    }

    private async Task<CliResult> Chat(string input, params string[] options)
    {
        using var cli = CliProcess.Start(["chat", "--model", "m", .. options], folder: work.Path, input: input);
        return await cli.WaitAsync();
    }
}
