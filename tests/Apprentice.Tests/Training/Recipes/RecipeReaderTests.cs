using Apprentice.Data.Batching;
using Apprentice.Data;
using Apprentice.Tests.Training.Checkpoints;
using Apprentice.Training.Recipes;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Training.Recipes;

public class RecipeReaderTests
{
    [Fact]
    public void Files_of_a_folders_recipe_start_at_the_folder()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("recipe.yaml"), "model: base\ndata: [a.jsonl, b.jsonl]\nwarmup_data: w.jsonl\nanneal: [c.jsonl]\nvalidation: v.jsonl\nout: r\n");
        var recipe = Recipe.Load(folder.Path);
        Assert.Equal(("base", folder.In("v.jsonl"), folder.In("r")), (recipe.Model, recipe.Validation!.File, recipe.Out));
        Assert.Equal([folder.In("a.jsonl"), folder.In("b.jsonl"), folder.In("w.jsonl"), folder.In("c.jsonl")], [.. recipe.Data!, .. recipe.WarmupData!, .. recipe.Anneal!]);
    }

    [Fact]
    public void A_line_break_at_the_end_of_a_text_is_kept()
    {
        var recipe = new Recipe { Model = "m.gguf", Data = ["d.jsonl"], System = "Sort.\n" };
        var resolved = recipe.Resolve(new ModelFacts(1_000_000, 512), new DataFacts(100, null));
        Assert.Equal("Sort.\n", Recipe.Parse(resolved.ToYaml()).System);
    }

    [Fact]
    public void Reads_every_kind_of_field()
    {
        var recipe = Recipe.Parse("""
            # a comment
            model: base.gguf
            data: [a.jsonl, "b c.jsonl"]
            validation: 0.2
            test: test.jsonl
            columns: {prompt: question, completion: answer}
            raw: true
            system: "two\nlines ü 😀"
            method: full
            alpha_pattern: {q_proj: 6.5}
            rank_pattern:
              k_proj: 4
              v_proj: 8
            learning_rate: 1e-3
            schedule: wsd
            warmup: 0.1
            decay: 30
            epochs: 2.5
            seed:
            threads: ~
            metric: 'null'
            over_long: truncate
            format: prompt_completion
            """);
        Assert.Equal("base.gguf", recipe.Model);
        Assert.Equal(["a.jsonl", "b c.jsonl"], recipe.Data);
        Assert.Equal(0.2, recipe.Validation!.Share);
        Assert.Equal("test.jsonl", recipe.Test!.File);
        Assert.Equal("answer", recipe.Columns!["completion"]);
        Assert.True(recipe.Raw);
        Assert.Equal("two\nlines ü 😀", recipe.System);
        Assert.Equal(TrainingMethod.Full, recipe.Method);
        Assert.Equal(6.5, recipe.AlphaPattern!["q_proj"]);
        Assert.Equal([4, 8], recipe.RankPattern!.Values);
        Assert.Equal(0.001, recipe.LearningRate);
        Assert.Equal((ScheduleKind.Wsd, Amount.Share(0.1), Amount.Steps(30), 2.5), (recipe.Schedule, recipe.Warmup, recipe.Decay, recipe.Epochs));
        Assert.Equal((null, null, "null"), (recipe.Seed, recipe.Threads, recipe.Metric));
        Assert.Equal((LongExamples.Truncate, DataFormat.PromptCompletion), (recipe.OverLong, recipe.Format));
        Assert.Equal(["one.jsonl"], Recipe.Parse("data: one.jsonl").Data);
        Assert.Null(Recipe.Parse("").Model);
        Assert.Null(Recipe.Parse("# nothing\n").Model);
    }

    [Theory]
    [InlineData("model: m\nlearning_rat: 1", "unknown_field", 2, "learning_rat", "did you mean learning_rate?")]
    [InlineData("learning-rate: 1", "unknown_field", 1, "learning-rate", "did you mean learning_rate?")]
    [InlineData("lr: 1", "unknown_field", 1, "lr", "did you mean learning_rate?")]
    [InlineData("num_train_epochs: 1", "unknown_field", 1, "num_train_epochs", "did you mean epochs?")]
    [InlineData("zzzzzzzz: 1", "unknown_field", 1, "zzzzzzzz", "the fields are model, data")]
    [InlineData("model: m\n\nrank: sixteen", "bad_value", 3, "rank is 'sixteen'; it must be a whole number, at least 1 and at most 4096", null)]
    [InlineData("rank: 0", "bad_value", 1, "at least 1", null)]
    [InlineData("rank: 99999999999999999999", "bad_value", 1, "at least 1", null)]
    [InlineData("rank: [1]", "bad_value", 1, "rank is a list", null)]
    [InlineData("learning_rate: 20", "bad_value", 1, "above 0 and at most 10", null)]
    [InlineData("learning_rate: .nan", "bad_value", 1, "a number", null)]
    [InlineData("learning_rate: 1e999", "bad_value", 1, "a number", null)]
    [InlineData("dropout: 1", "bad_value", 1, "at least 0 and below 1", null)]
    [InlineData("warmup: 1.5", "bad_value", 1, "a share from 0.0 to 1.0, or a number of steps", null)]
    [InlineData("warmup: -1", "bad_value", 1, "a share", null)]
    [InlineData("validation: 1.5", "bad_value", 1, "none, a share", null)]
    [InlineData("raw: yes", "bad_value", 1, "true or false", null)]
    [InlineData("schedule: cosin", "bad_value", 1, "cosine | linear | constant | wsd (did you mean cosine?)", null)]
    [InlineData("schedule: 1", "bad_value", 1, "cosine | linear", null)]
    [InlineData("data: []", "bad_value", 1, "at least one", null)]
    [InlineData("targets: {a: b}", "bad_value", 1, "targets is a map; it must be a list", null)]
    [InlineData("rank_pattern: {q_proj: -4}", "bad_value", 1, "a map from text to a whole number, at least 1", null)]
    [InlineData("model: a\nrank: 1\nmodel: b", "duplicate_field", 3, "line 1", null)]
    [InlineData("rank_pattern: {a: 1, a: 2}", "duplicate_field", 1, "'a' twice", null)]
    [InlineData("- model", "bad_recipe", 1, "a map of fields", null)]
    [InlineData("data:\n  - [nested]", "bad_recipe", 2, "a list or map", null)]
    [InlineData("model: &a x\nout: *a", "bad_recipe", 1, "no anchors", null)]
    [InlineData("model: *a", "bad_recipe", 1, "an alias", null)]
    [InlineData("model: !!python/object x", "bad_recipe", 1, "tags", null)]
    [InlineData("model: a\n---\nmodel: b", "bad_recipe", 2, "second", null)]
    [InlineData("model: [a\nb: c", "bad_yaml", 1, "not valid YAML", null)]
    public void Errors_name_line_field_and_what_would_be_right(string yaml, string code, int line, string message, string? hint)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.In("recipe.yaml"), yaml);
        var e = Assert.Throws<InputException>(() => Recipe.Load(folder.In("recipe.yaml")));
        Assert.Equal((code, folder.In("recipe.yaml")), (e.Code, e.File));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(hint ?? "", e.Hint ?? "", StringComparison.Ordinal);
        Assert.Equal(line, e.Line);
    }

    [Fact]
    public void Files_that_are_no_recipes()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => Recipe.Load(folder.In("none.yaml"))).Code);
        Assert.Throws<InputException>(() => Recipe.Load(folder.Path));
        File.WriteAllBytes(folder.In("latin1"), [(byte)'a', (byte)':', 0xE4]);
        Assert.Contains("UTF-8", Assert.Throws<InputException>(() => Recipe.Load(folder.In("latin1"))).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.In("big"), new string('#', 2 << 20));
        Assert.Throws<InputException>(() => Recipe.Load(folder.In("big")));
        File.WriteAllText(folder.In("bom"), "\uFEFFmodel: m\r\nrank: 4\r\n");
        Assert.Equal(4, Recipe.Load(folder.In("bom")).Rank);
    }

    [Fact]
    public void Ten_thousand_mutations_are_read_or_refused_clearly()
    {
        var good = new RecipeDefaultsTests().Resolved("system: \"a\\nb\"\nrank_pattern: {q_proj: 4}\n").ToYaml();
        good = string.Join('\n', good.Split('\n').Where(l => !l.StartsWith('#')));
        string[] bits = ["[", "]", "{", "}", ":", "-", "&a ", "*a", "!", "\"", "'", "|", ">", "\n", "\t", " ", "%", "@", "`", "?", ",", "#", "---", "...", "\0", "\u0085", "😀", "\uD800", "<<: ", "1e99"];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(10_000), Prop.ForAll(
            ArbMap.Default.ArbFor<NonNegativeInt>(), ArbMap.Default.ArbFor<NonNegativeInt>(), ArbMap.Default.ArbFor<byte>(), (at, length, bit) =>
            {
                int from = at.Get * 7919 % good.Length, count = Math.Min(length.Get % 5, good.Length - from);
                var text = good.Remove(from, count).Insert(from, bits[bit % bits.Length]);
                try
                {
                    Recipe.Parse(text);
                }
                catch (InputException)
                {
                }
            }));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("a: ")]
    [InlineData("&a ")]
    [InlineData("'")]
    [InlineData("%")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("a: {a: ")]
    [InlineData("a,")]
    [InlineData("\\")]
    [InlineData("rank: 1\n")]
    public void Repetition_is_refused_in_good_time(string piece)
    {
        foreach (var start in new[] { "", "data: [", "model: ", "model: \"" })
        {
            var text = start + string.Concat(Enumerable.Repeat(piece, (1 << 18) / piece.Length));
            var clock = ThreadClock.StartNew();
            try
            {
                Recipe.Parse(text);
            }
            catch (InputException)
            {
            }

            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{start}{piece}…: {clock.Elapsed}");
        }
    }

    [Fact]
    public void Options_say_the_same_as_a_recipe_and_win_over_it()
    {
        var options = Recipe.FromOptions(
        [
            new("--learning-rate", "0.5"), new("data", "a,b.jsonl"), new("--data", "c.jsonl"), new("--targets", "q_proj, v_proj"),
            new("--rank-pattern", "q=1,k=2"), new("--raw", "true"), new("--validation", "none"),
        ]);
        Assert.Equal(0.5, options.LearningRate);
        Assert.Equal(["a,b.jsonl", "c.jsonl"], options.Data);
        Assert.Equal(["q_proj", "v_proj"], options.Targets);
        Assert.Equal(2, options.RankPattern!["k"]);

        var recipe = Recipe.Parse("model: m\nlearning_rate: 0.1\nrank: 4\n", "r.yaml");
        var merged = recipe.Merge(options);
        Assert.Equal(("m", 0.5, 4, true), (merged.Model, merged.LearningRate, merged.Rank, merged.Raw));
        Assert.Equal(HeldOut.None, merged.Validation);
        Assert.Equal(0.1, recipe.LearningRate); // untouched
    }

    [Theory]
    [InlineData("--rnak", "4", "--rnak", "did you mean rank?")]
    [InlineData("--rank", "x", "--rank is 'x'; it must be a whole number", "")]
    [InlineData("--rank-pattern", "q", "NAME=VALUE", "")]
    public void Bad_options(string name, string value, string message, string hint)
    {
        var e = Assert.Throws<InputException>(() => Recipe.FromOptions([new(name, value)]));
        Assert.Equal("bad_option", e.Code);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(hint, e.Hint ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void An_option_is_given_once() =>
        Assert.Contains("once", Assert.Throws<InputException>(() => Recipe.FromOptions([new("rank", "4"), new("rank", "8")])).Message, StringComparison.Ordinal);
}
