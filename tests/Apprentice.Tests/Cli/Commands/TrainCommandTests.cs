using Apprentice.Cli;
using Apprentice.Cli.Commands;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Cli.Commands;

public class TrainCommandTests
{
    private Recipe? asked;

    private Verb Verb(Terminal terminal) => TrainCommand.Create(terminal, (recipe, _, _) =>
    {
        asked = recipe;
        return Task.FromResult(new TrainingSummary("runs/t", RunStatus.Succeeded, 1, 1, 1, 1, null, 1, 1, 1, 1, 1));
    });

    [Fact]
    public async Task Every_field_of_a_recipe_is_an_option()
    {
        var help = await CommandRun.Of(Verb, ["train", "--help"]);
        Assert.All(RecipeField.All, field => Assert.Matches($@"\n  {field.Option} [ <]", help.Output));
    }

    [Fact]
    public async Task Options_make_a_recipe()
    {
        var run = await CommandRun.Of(Verb, ["train", "--model", "m.gguf", "--data", "a.jsonl", "--data", "b.jsonl", "--learning-rate", "1e-3", "--validation", "none", "--raw"]);
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Equal(("m.gguf", 1e-3, true), (asked!.Model, asked.LearningRate, asked.Raw));
        Assert.Equal(["a.jsonl", "b.jsonl"], asked.Data);
        Assert.Null(asked.Epochs);
    }

    [Fact]
    public async Task Options_win_over_the_recipe_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "model: base.gguf\ndata: tickets.jsonl\nepochs: 3\nrank: 8\n");
            await CommandRun.Of(Verb, ["train", "--raw", file, "--epochs", "5"]);
            Assert.Equal(("base.gguf", 5.0, 8, true), (asked!.Model, asked.Epochs, asked.Rank, asked.Raw));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("there is no model", "--data", "d")]
    [InlineData("there is no data", "--model", "m")]
    [InlineData("--epochs is 'many'", "--model", "m", "--data", "d", "--epochs", "many")]
    [InlineData("did you mean '--learning-rate'?", "--model", "m", "--data", "d", "--lr", "1e-3")]
    [InlineData("no such recipe", "not-there.yaml")]
    public async Task Bad_use_is_refused(string message, params string[] args)
    {
        var run = await CommandRun.Of(Verb, ["train", .. args]);
        Assert.Equal(2, run.Exit);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Null(asked);
    }
}
