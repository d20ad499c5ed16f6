namespace Apprentice.Tests.EndToEnd;

/// <summary>A folder to start from, and training it by its name from elsewhere.</summary>
[Trait("Category", "EndToEnd")]
public sealed class NewTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_new_folder_trains_from_wherever_it_is_named()
    {
        var made = await work.Done("new tasks/first");
        Assert.Equal("tasks/first", made.GetProperty("folder").GetString());
        Assert.Equal(["examples.jsonl", "recipe.yaml", "test.jsonl"], Directory.GetFiles(work.In("tasks/first")).Select(Path.GetFileName).Order());

        // The sample data are longer than the tiny model's context.
        File.Copy(work.In("bank.jsonl"), work.In("tasks/first/examples.jsonl"), overwrite: true);
        Directory.Move(work.In("m"), work.In("tasks/first/m"));
        File.WriteAllText(work.In("tasks/first/recipe.yaml"), work.Read("tasks/first/recipe.yaml").Replace("model: base", "model: m", StringComparison.Ordinal));
        var run = await work.Done("train tasks/first --max-steps 2");
        Assert.Equal("tasks/first/runs/first", run.GetProperty("run").GetString());
        await work.Done("evaluate --model tasks/first/runs/first --data bank.jsonl --max-tokens 2");

        // From inside, and with an option, which is a path of the command line.
        using var inside = CliProcess.Start(["train", ".", "--max-steps", "2", "--out", "elsewhere"], folder: work.In("tasks/first"));
        Assert.Equal(0, (await inside.WaitAsync()).Exit);
        Assert.True(Directory.Exists(work.In("tasks/first/elsewhere/adapter")));
        Assert.Contains("never overwritten", await work.Refused("train tasks/first"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_recipe_names_only_fields_that_exist_and_the_built_in_model()
    {
        await work.Done("new t");
        var recipe = Apprentice.Training.Recipes.Recipe.Load(work.In("t"));
        Assert.Equal("base", recipe.Model);
        Assert.Equal([work.In("t/examples.jsonl")], recipe.Data);
        Assert.Equal(work.In("t/runs/first"), recipe.Out);
    }

    [Fact]
    public async Task What_is_there_is_not_overwritten_and_what_is_not_a_recipe_is_named()
    {
        Assert.Contains("nothing is overwritten", await work.Refused("new m"), StringComparison.Ordinal);
        Assert.Contains("nothing is overwritten", await work.Refused("new bank.jsonl"), StringComparison.Ordinal);
        Directory.CreateDirectory(work.In("empty"));
        Assert.Contains("no recipe.yaml", await work.Refused("train empty"), StringComparison.Ordinal);
        await work.Done("new empty");
        Assert.Contains("has a recipe, but no model", await work.Refused("generate --model empty --prompt x"), StringComparison.Ordinal);
        Assert.Contains("no run", await work.Refused("resume empty"), StringComparison.Ordinal);
        await work.Done("train --model m --data bank.jsonl --out r --max-steps 2");
        Assert.Contains("this folder is a run", await work.Refused("train r"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_built_in_models_name_beside_a_folder_of_that_name_is_no_guess()
    {
        Directory.Move(work.In("m"), work.In("base"));
        Assert.Contains("write ./base", await work.Refused("generate --model base --prompt x"), StringComparison.Ordinal);
        Assert.Equal(0, (await work.Run("generate --model ./base --prompt x --max-tokens 2")).Exit);
    }
}
