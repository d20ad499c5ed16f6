using Apprentice.Models.Registry;

namespace Apprentice.Tests.EndToEnd;

/// <summary>A run that has succeeded is known by its id, ft:BASE:SUFFIX:ID.</summary>
[Trait("Category", "EndToEnd")]
public sealed class RegisteredRunTests : IDisposable
{
    private const string Train = "train --model m --data bank.jsonl --max-steps 3 --validation none ";
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_finished_run_says_its_id_and_resume_says_the_same()
    {
        var trained = await work.Done($"{Train} --out r");
        var id = trained.GetProperty("model").GetString()!;
        Assert.Matches("^ft:m::[a-z2-7]{8}$", id);
        Assert.Equal(id, (string?)work.ReadJson("r", "summary.json")["model"]);
        Assert.Equal((id, work.In("r"), "run"), (Known[0].Name, Known[0].Path, Known[0].Kind));

        await work.Done($"models rm {id}");
        Assert.Equal(trained.GetRawText(), (await work.Done("resume r")).GetRawText());
        Assert.Equal(id, Assert.Single(Known).Name);
        Assert.Matches($"\nmodel +{id} *\n", (await work.Run("resume r")).Output);

        // A run that was moved is added by the id that it has, or by any name.
        Directory.Move(work.In("r"), work.In("moved"));
        Assert.Equal(id, (await work.Done("models add moved --force")).GetProperty("name").GetString());
        Assert.Equal("mine", (await work.Done("models add moved --name mine")).GetProperty("name").GetString());
    }

    /// <summary>The id of a run that another has taken the place of would name the wrong model.</summary>
    [Fact]
    public async Task Another_run_in_the_same_folder_has_another_id_and_the_first_is_forgotten()
    {
        var first = (await work.Done($"{Train} --out r --suffix a")).GetProperty("model").GetString();
        Directory.Delete(work.In("r"), recursive: true);
        var second = (await work.Done($"{Train} --out r --suffix a --learning-rate 5e-4")).GetProperty("model").GetString();
        Assert.NotEqual(first, second);
        Assert.Equal(second, Assert.Single(Known).Name);
        Directory.Delete(work.In("r"), recursive: true);
        Assert.Equal(second, (await work.Done($"{Train} --out r --suffix a --learning-rate 5e-4")).GetProperty("model").GetString());
    }

    [Fact]
    public async Task An_interrupted_run_is_registered_once_it_is_resumed()
    {
        await work.Done($"{Train} --out r");
        await work.Done($"models rm {Known[0].Name}");
        File.WriteAllText(work.In("r/state.json"), """{"status":"paused","step":0}""");
        File.Delete(work.In("r/summary.json"));
        Assert.Equal((await work.Done("resume r")).GetProperty("model").GetString(), Assert.Single(Known).Name);
    }

    [Fact]
    public async Task A_registry_that_cannot_be_written_does_not_fail_the_run()
    {
        Directory.CreateDirectory(work.Home);
        File.WriteAllText(Path.Combine(work.Home, "models.json"), "{");
        var run = await work.Run($"{Train} --out r --json");
        Assert.Equal((0, "succeeded"), (run.Exit, run.Json.GetProperty("status").GetString()));
        Assert.False(run.Json.TryGetProperty("model", out _));
        Assert.Contains("not registered, so it has no id: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("the list of models cannot be read", run.Error, StringComparison.Ordinal);

        File.Delete(Path.Combine(work.Home, "models.json"));
        Assert.StartsWith("ft:m::", (await work.Done("models add r")).GetProperty("name").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("My Tickets!", "such as My-Tickets")]
    [InlineData("a:b", "such as a-b")]
    [InlineData("!", "letters, digits")]
    public async Task A_suffix_is_a_plain_word(string suffix, string said)
    {
        Assert.Contains(said, await work.Refused($"{Train} --out r --suffix", suffix), StringComparison.Ordinal);
        Assert.False(Directory.Exists(work.In("r")));
    }

    private IReadOnlyList<RegisteredModel> Known => new ModelRegistry(work.Home).List();
}
