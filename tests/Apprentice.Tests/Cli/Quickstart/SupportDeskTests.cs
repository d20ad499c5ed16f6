using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apprentice.Cli.Quickstart;
using Apprentice.Data.Datasets;
using Apprentice.Tests.EndToEnd;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Cli.Quickstart;

public class SupportDeskTests
{
    private const string Expected = """{"intent": "cancel_order", "priority": "low", "reply": "We are cancelling order 5120 for you."}""";

    private static readonly Dictionary<string, IReadOnlyList<Example>> Sets = new()
    {
        ["train"] = SupportDesk.Examples(SupportDesk.TrainingFile),
        ["validation"] = SupportDesk.Examples(SupportDesk.ValidationFile),
        ["test"] = SupportDesk.Examples(SupportDesk.TestFile),
    };

    private static readonly JsonNode Phrases = JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenData.Root, "recipes", "quickstart", "phrases.json")))!;

    [Theory]
    [InlineData(Expected, 1, 1, 1, 1, 1)]
    [InlineData("""{"reply": "Order 5120 is gone.", "priority": "low", "intent": "cancel_order"}""", 1, 1, 1, 1, 1)] // the order of fields does not matter
    [InlineData("""{"intent": "cancel_order", "priority": "low", "reply": "We are cancelling order 5121."}""", 1, 1, 1, 0, 0)]
    [InlineData("""{"intent": "cancel_order", "priority": "high", "reply": "Order 5120."}""", 1, 1, 0, 1, 0)]
    [InlineData("""{"intent": "return_item", "priority": "low", "reply": "Order 5120."}""", 1, 0, 1, 1, 0)]
    [InlineData("""{"intent": "cancel_order", "priority": "low"}""", 0, 0, 0, 0, 0)]
    [InlineData("""{"intent": "cancel_order", "priority": "low", "reply": "5120", "more": "x"}""", 0, 0, 0, 0, 0)]
    [InlineData("""{"intent": "cancel_order", "intent": "cancel_order", "priority": "low", "reply": "5120"}""", 0, 0, 0, 0, 0)]
    [InlineData("""{"intent": "cancel_order", "priority": 1, "reply": "5120"}""", 0, 0, 0, 0, 0)]
    [InlineData("""Sure! {"intent": "cancel_order", "priority": "low", "reply": "Order 5120."}""", 0, 0, 0, 0, 0)]
    [InlineData("[]", 0, 0, 0, 0, 0)]
    [InlineData("", 0, 0, 0, 0, 0)]
    [InlineData("{\"intent\": \"\\ud800\", \"priority\": \"low\", \"reply\": \"5120\"}", 0, 0, 0, 0, 0)]
    public void Answers_are_judged_field_by_field(string answer, double json, double intent, double priority, double number, double all) =>
        Assert.Equal([json, intent, priority, number, all], SupportDesk.Metrics.Select(m => m.Score!(answer, Expected)));

    [Fact]
    public void Every_expected_answer_is_right_by_every_metric_and_takes_up_a_number_of_its_message() =>
        Assert.All(Sets.Values.SelectMany(s => s), example =>
        {
            Assert.All(SupportDesk.Metrics, m => Assert.Equal(1, m.Score!(example.Expected, example.Expected)));
            var number = Regex.Match(example.Expected, "[0-9]{4}").Value;
            Assert.Contains(number, (string?)example.Prompt[^1]["content"], StringComparison.Ordinal);
        });

    [Fact]
    public void The_sets_are_of_the_size_that_is_said_balanced_and_apart()
    {
        Assert.Equal([400, 100, 150], Sets.Values.Select(s => s.Count));
        Assert.All(Sets.Values, set => Assert.Single(set.CountBy(e => Field(e, "intent")).Select(c => c.Value).Distinct()));
        Assert.Equal(10, Sets["test"].Select(e => Field(e, "intent")).Distinct().Count());
        Assert.All(Sets.Values, set => Assert.All(set.CountBy(e => Field(e, "priority")), c => Assert.InRange((double)c.Value / set.Count, 0.2, 0.5)));
        var prompts = Sets.Values.SelectMany(s => s).Select(e => ((string)e.Prompt[^1]["content"]!).ToLowerInvariant()).ToArray();
        Assert.Equal(prompts.Length, prompts.Distinct().Count());
    }

    /// <summary>Neither whole phrasings nor a sentence of urgency: a phrase's words with anything in the place of product and number.</summary>
    [Fact]
    public void No_held_out_phrasing_is_in_training()
    {
        var training = Sets["train"].Select(e => (string)e.Prompt[^1]["content"]!).ToArray();
        var groups = Phrases["intents"]!.AsObject().Select(i => i.Value!).Concat(new[] { "low", "deadline", "danger" }.Select(name => Phrases[name]!)).ToArray();
        var held = groups.SelectMany(g => g["validation"]!.AsArray().Concat(g["test"]!.AsArray())).Select(p => (string)p!).ToArray();
        Assert.True(held.Length > 60);
        Assert.All(held, phrase =>
        {
            var pattern = new Regex(Regex.Escape(phrase.TrimEnd('.', '?')).Replace(@"\{p}", ".+", StringComparison.Ordinal).Replace(@"\{n}", "[0-9]+", StringComparison.Ordinal), RegexOptions.IgnoreCase);
            Assert.DoesNotContain(training, pattern.IsMatch);
        });
        Assert.All(Phrases["held_out_products"]!.AsArray(), p => Assert.DoesNotContain(training, t => t.Contains((string)p!, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>The prompt that the base is given says what the training examples show.</summary>
    [Fact]
    public void The_written_prompt_names_every_intent_and_priority() =>
        Assert.All(Sets["train"].SelectMany(e => new[] { Field(e, "intent"), Field(e, "priority") }).Distinct(), word => Assert.Contains(word, SupportDesk.Prompt, StringComparison.Ordinal));

    [Fact]
    public async Task The_generator_gives_the_bundled_files_byte_for_byte()
    {
        using var scratch = new Models.Weights.ScratchFolder();
        using var process = CliProcess.StartProgram("dotnet", ["run", "recipes/quickstart/generate.cs", "--", scratch.Path], environment: null, GoldenData.Root);
        var run = await process.WaitAsync();
        Assert.True(run.Exit == 0, run.Output + run.Error);
        Assert.All(Sets.Keys, set => Assert.Equal(
            File.ReadAllBytes(Path.Combine(GoldenData.Root, "src", "Apprentice.Cli", "Quickstart", set + ".jsonl")), File.ReadAllBytes(scratch.File(set + ".jsonl"))));
    }

    private static string Field(Example example, string name) => JsonDocument.Parse(example.Expected).RootElement.GetProperty(name).GetString()!;
}
