using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apprentice.Data;
using Apprentice.Recipes.Base;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Recipes;

/// <summary>The generators of the base model's instruction data.</summary>
public sealed partial class GeneratorTests
{
    private const int Examples = 1500;
    private const ulong Seed = 5;

    public static TheoryData<string> Names => new(Generator.All.Select(g => g.Name));

    [Fact]
    public void Labels_mean_one_thing() => Assert.Equal(NamesOfProblems().Count(), NamesOfProblems().Distinct().Count());

    /// <summary>An example depends on its index and on nothing that was made before it.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_example_every_time(string name)
    {
        var forwards = Enumerable.Range(0, 50).Select(i => Text(name, i)).ToArray();
        var backwards = Enumerable.Range(0, 50).Reverse().Select(i => Text(name, i)).Reverse().ToArray();
        Assert.Equal(forwards, backwards);
        Assert.NotEqual(forwards[0], Json.Compact(Named(name).Example(Seed + 1, 0).ToJson()));
    }

    /// <summary>What is promised as JSON is JSON with those fields in that order, and each answers the question that lists them.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Json_answers_have_the_fields_asked_for(string name)
    {
        foreach (var example in Made(name).Where(e => e.Fields is not null))
        {
            var json = Assert.IsType<JsonObject>(StrictJson.Parse(Encoding.UTF8.GetBytes(example.Answer), out var problem));
            Assert.Null(problem);
            Assert.Equal(example.Fields, json.Select(field => field.Key));
            Assert.All(example.Fields!, field => Assert.Contains(field, example.System + "\n" + example.Turns[0]));
        }
    }

    /// <summary>Of 1,500 examples at most 1 in 50 is there twice; the short answers of talk, refusals and sums come again more often.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Few_examples_come_twice(string name)
    {
        var most = name switch { "talk" => 0.75, "refusals" => 0.25, "arithmetic" => 0.10, _ => 0.02 };
        var texts = Made(name).Select(e => Json.Compact(e.ToJson())).ToArray();
        Assert.InRange(1 - texts.Distinct().Count() / (double)texts.Length, 0, most);
    }

    /// <summary>Nothing of the grammar's own marks is left, and sentences are spaced and ended as one writes them.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Texts_are_clean(string name)
    {
        foreach (var text in Made(name).SelectMany(e => e.Turns.Append(e.System ?? "none")))
        {
            Assert.False(Leftover().IsMatch(name == "copying" ? Place().Replace(text, "x") : text), text);
            Assert.False(string.IsNullOrWhiteSpace(text) || text != text.Trim(), $"'{text}'");
        }
    }

    /// <summary>Every number that is said was there before.</summary>
    [Fact]
    public void Copies_are_copies() => Assert.All(Made("copying"), example =>
    {
        for (var turn = 1; turn < example.Turns.Count; turn += 2)
        {
            var given = example.System + "\n" + string.Join('\n', example.Turns.Take(turn));
            Assert.All(Digits().Matches(example.Turns[turn]), number => Assert.Contains(number.Value, given));
        }
    });

    /// <summary>A listed label is in its list; an answer from a passage is in the passage, or is the phrase for what is not there.</summary>
    [Fact]
    public void Answers_can_be_found()
    {
        Assert.All(Made("passages").Where(e => !e.Answer.StartsWith("The value is null", StringComparison.Ordinal)), e =>
        {
            var given = e.System + "\n" + string.Join('\n', e.Turns.SkipLast(1));
            Assert.True(e.Answer is "Yes" or "No" || given.Contains(e.Answer, StringComparison.OrdinalIgnoreCase) || e.Turns[0].Contains('['), $"{given}\n→ {e.Answer}");
        });
        Assert.All(Made("classification").Where(e => ListMark().IsMatch(e.System + e.Turns[0]) && e.Turns.Count == 2), e =>
            Assert.Contains(e.Answer, e.System + "\n" + e.Turns[0]));
    }

    /// <summary>quickstart measures a task of its own: its three fields are never asked for here.</summary>
    [Fact]
    public void Tickets_are_not_those_of_quickstart() => Assert.All(Made("tickets").Concat(Made("orders")).Where(e => e.Fields is not null), e =>
        Assert.DoesNotContain(e.Fields!, field => field is "intent" or "priority" or "reply"));

    /// <summary>Nor are its labels used, nor do its sentences occur: no five words in a row of those that it holds out.</summary>
    [Fact]
    public void Orders_do_not_say_what_quickstart_asks()
    {
        var phrases = JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenData.Root, "recipes", "quickstart", "phrases.json")))!;
        Assert.DoesNotContain(Problem.OfOrders.SelectMany(p => p.Names), phrases["replies"]!.AsObject().Select(r => r.Key).Contains);
        var seen = Made("orders").SelectMany(e => Runs(e.System + "\n" + string.Join('\n', e.Turns))).ToHashSet();
        var heldOut = new[] { "low", "deadline", "danger" }.Select(rule => phrases[rule]!).Concat(phrases["intents"]!.AsObject().Select(intent => intent.Value!))
            .SelectMany(rule => rule["test"]!.AsArray()).SelectMany(sentence => Runs((string)sentence!));
        Assert.Empty(heldOut.Where(seen.Contains).Distinct());
    }

    private static IEnumerable<string> Runs(string text)
    {
        var words = Words().Matches(text).Select(word => word.Value.ToLowerInvariant()).ToArray();
        return Enumerable.Range(0, Math.Max(0, words.Length - 4)).Select(i => string.Join(' ', words[i..(i + 5)]));
    }

    /// <summary>The labels of the sets that the base model is measured on do not occur.</summary>
    [SkippableFact]
    public void Labels_of_the_benchmarks_are_unseen()
    {
        var benchmark = File.ReadLines(Path.Combine(GoldenData.RequireShared("data/banking77"), "test.csv")).Skip(1).Select(line => line[(line.LastIndexOf(',') + 1)..])
            .Concat(File.ReadLines(Path.Combine(GoldenData.RequireShared("data/support"), "support.jsonl")).Select(line => (string)JsonNode.Parse(line)!["intent"]!)).ToHashSet();
        Assert.DoesNotContain(NamesOfProblems().Concat(Domain.All.Concat(Domain.Shops).SelectMany(LabelsOf)), benchmark.Contains);
    }

    private static IEnumerable<string> NamesOfProblems() => Problem.All.Concat(Problem.OfOrders).SelectMany(p => p.Names);

    private static IEnumerable<string> LabelsOf(Domain domain) => domain.Things.SelectMany(thing =>
        domain.Catalogue.Where(p => p.Kind == thing.Kind).Select(p => $"{thing.Thing.Replace(' ', '_')}_{p.Names[0]}"));

    private static Generator Named(string name) => Generator.All.Single(g => g.Name == name);

    private static IEnumerable<Instruction> Made(string name) => Enumerable.Range(0, Examples).Select(i => Named(name).Example(Seed, i));

    private static string Text(string name, int index) => Json.Compact(Named(name).Example(Seed, index).ToJson());

    [GeneratedRegex(@"\{[aA]?:?[a-z_0-9]+\}|\[[^\]\n""]*\||\|[^\[\n""]*\]|\{\}| [.,?!](\s|$)|\S {2}\S|\.\.")]
    private static partial Regex Leftover();

    [GeneratedRegex(@"(Labels|Intents|Categories|Classes|Options|Topics|Tags): ")]
    private static partial Regex ListMark();

    /// <summary>What copying's sentences leave open on purpose.</summary>
    [GeneratedRegex(@"\{(name|thing|number|town)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Place();

    [GeneratedRegex("[A-Za-z0-9']+")]
    private static partial Regex Words();

    [GeneratedRegex("[0-9]{2,}")]
    private static partial Regex Digits();
}
