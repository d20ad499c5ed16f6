using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Models.Generation;

namespace Apprentice.Tests.Cli.Commands;

public class GenerateCommandTests
{
    private GenerateRequest? asked;

    private Verb Verb(Terminal terminal) => GenerateCommand.Create(terminal, (request, show, _) =>
    {
        asked = request;
        show?.Invoke("It is ");
        show?.Invoke("on its way.");
        return Task.FromResult<IReadOnlyList<GenerationResult>>(
            request.Prompts.Select(_ => new GenerationResult("It is on its way.", 9, 6, "stop", 120.5, 30)).ToList());
    });

    [Fact]
    public async Task The_answer_alone_goes_to_standard_output()
    {
        var run = await CommandRun.Of(Verb, ["generate", "--model", "m", "--prompt", "Where is my card?"]);
        Assert.Equal((0, "It is on its way.\n"), (run.Exit, run.Output));
        Assert.Equal("9 prompt tokens (121/s), 6 generated (30.0/s), finished by stop\n", run.Error);
    }

    [Fact]
    public async Task Json_has_the_promised_names()
    {
        var run = await CommandRun.Of(Verb, ["generate", "--model", "m", "--prompt", "p", "--json"]);
        Assert.Equal("", run.Error);
        Assert.Equal(
            ["text", "prompt_tokens", "completion_tokens", "finish_reason", "prompt_tokens_per_second", "tokens_per_second"],
            run.Json.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task Every_option_arrives()
    {
        await CommandRun.Of(Verb, [
            "generate", "--model", "m", "--prompt", "p", "--system", "s", "--raw", "--threads", "2", "--max-tokens", "7", "--temperature", "0.5",
            "--top-k", "40", "--top-p", "0.9", "--min-p", "0.05", "--repetition-penalty", "1.1", "--seed", "3", "--stop", "a", "--stop", "b",
        ]);
        Assert.Equal(("m", "s", true, 2), (asked!.Model, asked.System, asked.Raw, asked.Threads));
        Assert.Equal(
            new SamplingOptions { MaxTokens = 7, Temperature = 0.5, TopK = 40, TopP = 0.9, MinP = 0.05, RepetitionPenalty = 1.1, Seed = 3 },
            asked.Sampling with { Stop = new SamplingOptions().Stop });
        Assert.Equal(["a", "b"], asked.Sampling.Stop);
    }

    [Theory]
    [InlineData("either --prompt", "--model", "m")]
    [InlineData("either --prompt", "--model", "m", "--prompt", "p", "--prompts", "f")]
    [InlineData("no such file", "--model", "m", "--prompts", "not-there.txt")]
    [InlineData("top-p is 2", "--model", "m", "--prompt", "p", "--top-p", "2")]
    [InlineData("'--model' is required", "--prompt", "p")]
    public async Task Bad_use_is_refused(string message, params string[] args)
    {
        var run = await CommandRun.Of(Verb, ["generate", .. args]);
        Assert.Equal(2, run.Exit);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Null(asked);
    }

    [Fact]
    public async Task A_file_of_prompts_is_answered_in_order()
    {
        var folder = Directory.CreateTempSubdirectory("apprentice-");
        try
        {
            var (prompts, answers) = (Path.Combine(folder.FullName, "p.jsonl"), Path.Combine(folder.FullName, "a.jsonl"));
            await File.WriteAllTextAsync(prompts, "{\"prompt\":\"one\"}\n\n{\"prompt\":\"zwei\\nhälften\"}\n");
            var run = await CommandRun.Of(Verb, ["generate", "--model", "m", "--prompts", prompts, "--out", answers, "--json"]);
            Assert.Equal(["one", "zwei\nhälften"], run.Json.GetProperty("answers").EnumerateArray().Select(a => a.GetProperty("prompt").GetString()));
            Assert.Equal(2, (await File.ReadAllLinesAsync(answers)).Length);

            await File.WriteAllTextAsync(prompts, "{\"prompt\":\"one\"}\n{\"prompt\":2}\n");
            run = await CommandRun.Of(Verb, ["generate", "--model", "m", "--prompts", prompts]);
            Assert.StartsWith($"error: {prompts}:2: ", run.Error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
