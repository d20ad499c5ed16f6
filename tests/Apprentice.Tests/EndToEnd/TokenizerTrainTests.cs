using Apprentice.Tests.Golden;

namespace Apprentice.Tests.EndToEnd;

/// <summary>A tokenizer made by the real program, used by the real program.</summary>
[Trait("Category", "EndToEnd")]
public sealed class TokenizerTrainTests : IDisposable
{
    private static readonly string Template = Path.Combine(GoldenData.Root, "recipes", "base", "chat_template.jinja");
    private readonly Workplace work = new();

    public TokenizerTrainTests()
    {
        work.WriteLines("texts.jsonl", Enumerable.Range(0, 200).Select(i => new { Text = $"The answer to question {i} is {i * 37 % 100}, isn't it?\n" }));
        File.WriteAllText(work.In("poem.txt"), "The answer, the answer,\nis blowing in the words.\n");
    }

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_tokenizer_is_made_and_used()
    {
        var made = await work.Done($"tokenizer train --data texts.jsonl bank.jsonl poem.txt --vocab-size 300 --chat-template {Template} --out t");
        Assert.Equal(300, made.GetProperty("vocabulary_size").GetInt32());
        Assert.Equal(300 - 256 - 3, made.GetProperty("merges").GetInt32());
        Assert.Equal(made.GetProperty("bytes_read").GetDouble() / made.GetProperty("tokens").GetInt64(), made.GetProperty("bytes_per_token").GetDouble());
        Assert.True(made.GetProperty("duration_seconds").GetDouble() > 0);
        Assert.Equal(["tokenizer.json", "tokenizer_config.json"], Directory.GetFileSystemEntries(work.In("t")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        File.Copy(work.In("m", "config.json"), work.In("t", "config.json"));
        var text = "The answer? Grüße 😀\t42\u0001";
        var tokens = await work.Done("tokenize --model t --text", text);
        Assert.Contains("Ġanswer", tokens.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal(23, tokens.GetProperty("offsets").EnumerateArray().Last()[1].GetInt32()); // code points
    }

    /// <summary>The base model's template: no system message of its own; answers are learned, up to the next turn.</summary>
    [Fact]
    public async Task The_base_models_template_tells_what_is_learned()
    {
        await work.Done($"tokenizer train --data texts.jsonl --chat-template {Template} --out t");
        var learned = await Conversation("""
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
             {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Farewell"}]
            """);
        Assert.Equal(
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            + "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nFarewell<|im_end|>\n",
            learned.Text);
        Assert.Equal("Hello<|im_end|>\nFarewell<|im_end|>\n", learned.Learned);

        var awaited = await Conversation("""[{"role": "user", "content": "Hi"}]""");
        Assert.Equal(("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", ""), awaited);

        File.WriteAllText(work.In("c.json"), """[{"role": "user", "content": "Hi"}, {"role": "tool", "content": "1"}, {"role": "assistant", "content": "x"}]""");
        Assert.Contains("not of tool", await work.Refused("tokenize --model t --messages c.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task People_are_told_what_came_of_it()
    {
        var run = await work.Run("tokenizer train --data poem.txt --vocab-size 1000 --out t/");
        Assert.Equal(0, run.Exit);
        Assert.Matches(@"^\d+ tokens from 0 kB of text \(\d+ different words\) in \ds; \d\.\d\d bytes a token on it\nfewer than the 1,000 asked for: ", run.Output);
    }

    [Theory]
    [InlineData("--data gone.jsonl --out t", "gone.jsonl: there is no such file")]
    [InlineData("--data texts.jsonl --out gone/t", "gone/t")]
    [InlineData("--data texts.jsonl --out m", "m: something is there already")]
    [InlineData("--data texts.jsonl --out t --vocab-size 100", "3 special ones and 256 bytes need 259")]
    [InlineData("--data texts.jsonl --out t --vocab-size lots", "--vocab-size is 'lots'")]
    [InlineData("--data texts.jsonl --out t --special <a> <b> --eos <c>", "'<c>' is not among the special tokens: <a> <b>")]
    [InlineData("--data texts.jsonl --out t --max-bytes 0", "give 1 or more")]
    [InlineData("--data texts.jsonl --out t --chat-template gone.jinja", "gone.jinja: there is no such file")]
    [InlineData("--data texts.jsonl --out t --chat-template poem.txt --merges 3", "'--merges' is not an option")]
    [InlineData("--data m/config.json --out t", "m/config.json:1: ")]
    [InlineData("--data texts.jsonl --fnord 3 --out t", "'--fnord' is not an option")]
    [InlineData("--out t", "--data")]
    public async Task What_is_wrong_is_named_and_nothing_is_written(string options, string message)
    {
        Assert.Contains(message, await work.Refused($"tokenizer train {options}"), StringComparison.Ordinal);
        Assert.Equal(4, Directory.GetFileSystemEntries(work.Path).Length);
    }

    private async Task<(string Text, string Learned)> Conversation(string messages)
    {
        File.WriteAllText(work.In("c.json"), messages);
        var json = await work.Done("tokenize --model t --messages c.json");
        var text = json.GetProperty("text").GetString()!;
        return (text, string.Concat(json.GetProperty("supervised").EnumerateArray().Zip(json.GetProperty("offsets").EnumerateArray())
            .Where(t => t.First.GetBoolean())
            .Select(t => text[t.Second[0].GetInt32()..t.Second[1].GetInt32()])));
    }
}
