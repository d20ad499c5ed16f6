namespace Apprentice.Tests.EndToEnd;

/// <summary>What is wrong is said with its place and leaves nothing behind: exit 2, no stack trace, no run folder.
/// What newcomers get wrong most is in <see cref="NewcomerTests"/>.</summary>
[Trait("Category", "EndToEnd")]
public sealed class RefusalTests : IDisposable
{
    private const string Train = "train --model m --data bank.jsonl --out r ";
    private readonly Workplace work = new();

    public void Dispose()
    {
        Assert.False(Directory.Exists(work.In("r")));
        work.Dispose();
    }

    [Theory]
    [InlineData("train --model m --data bank.jsonl --validation gone.jsonl --out r", "gone.jsonl")]
    [InlineData(Train + "--learning-rate 1e30", "--learning-rate")]
    [InlineData(Train + "--targets nothing", "q_proj")]
    [InlineData(Train + "--max-length 4096", "256")]
    [InlineData("resume m", "m: this folder is no run")]
    [InlineData("resume gone", "gone: there is no run")]
    [InlineData("evaluate --model m --data bank.jsonl --metric fnord", "fnord")]
    [InlineData("evaluate --model m --data bank.jsonl --out gone/rows.jsonl", "gone/rows.jsonl")]
    public async Task What_is_not_there_or_not_possible_is_named(string command, string message) =>
        Assert.Contains(message, await work.Refused(command), StringComparison.Ordinal);

    [Theory]
    [InlineData("train --model m --data bank.jsonl", "--out")]
    [InlineData("evaluate --model m --data bank.jsonl", "--out")]
    [InlineData("resume", "")]
    public async Task A_name_that_is_empty_is_refused(string command, string option) =>
        Assert.Contains("is given nothing", await work.Refused(command, option.Length == 0 ? [""] : [option, ""]), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"prompt\": \"x\"", "bad.jsonl:7: ")]
    [InlineData("{\"prompt\": \"x\"}", "bad.jsonl:7: field 'completion' is missing")]
    [InlineData("{\"prompt\": 1, \"completion\": \"x\"}", "bad.jsonl:7: field 'prompt'")]
    public async Task A_broken_line_of_data_is_named(string line, string message)
    {
        File.WriteAllLines(work.In("bad.jsonl"), [.. File.ReadLines(work.In("bank.jsonl")), line]);
        Assert.Contains(message, await work.Refused("train --model m --data bad.jsonl --out r"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json", null)]
    [InlineData("tokenizer.json", "{")]
    [InlineData("model.safetensors", null)]
    [InlineData("model.safetensors", "")]
    [InlineData("model.safetensors", "12345678 no header")]
    [InlineData("config.json", "[]")]
    [InlineData("config.json", "{\"model_type\": \"mamba\"}")]
    [InlineData("tokenizer_config.json", "{\"chat_template\": \"{% for %}\"}")]
    public async Task A_model_that_is_broken_is_named(string file, string? text)
    {
        File.Delete(work.In("m", file));
        if (text is not null)
        {
            File.WriteAllText(work.In("m", file), text);
        }

        Assert.Contains(text is null && file == "model.safetensors" ? "m: the folder has neither" : $"m/{file}", await work.Refused(Train.Trim()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_a_recipe_is_named_with_its_line()
    {
        File.WriteAllText(work.In("recipe.yaml"), "model: m\ndata: bank.jsonl\nlearning_rate: fast\n");
        Assert.Contains("recipe.yaml:3: ", await work.Refused("train recipe.yaml"), StringComparison.Ordinal);
    }
}
