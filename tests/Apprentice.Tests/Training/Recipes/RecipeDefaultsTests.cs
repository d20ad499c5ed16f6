using System.Reflection;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Training.Recipes;
using Apprentice.Training.Schedules;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Training.Recipes;

public class RecipeDefaultsTests
{
    private static readonly ModelFacts Small = new(135_000_000, 2048);

    [Fact]
    public void Defaults_for_a_small_model_and_some_hundred_examples()
    {
        var recipe = Resolved("", examples: 1000);
        Assert.Equal((TrainingMethod.Lora, 16, 32.0, 0.0), (recipe.Method, recipe.Rank, recipe.Alpha, recipe.Dropout));
        Assert.Equal((1e-3, ScheduleKind.Cosine, Amount.Share(0.1), 0.0), (recipe.LearningRate, recipe.Schedule, recipe.Warmup, recipe.WeightDecay));
        Assert.Equal((100, 16, 4.0, 1.0), (recipe.Validation.Count, recipe.BatchSize, recipe.Epochs, recipe.Clip));
        Assert.Equal(228, recipe.TotalSteps(900)); // 57 an epoch
        Assert.Equal((23, 3, 23), (recipe.EvaluateEvery, recipe.EarlyStopping, recipe.CheckpointEvery));
        Assert.Equal("runs/tickets", recipe.Out);
    }

    [Fact]
    public void Defaults_follow_model_method_and_data()
    {
        Assert.Equal(2e-4, Resolved("", model: Small with { Parameters = 7_000_000_000 }).LearningRate);
        Assert.Equal(1e-4, Resolved("method: full").LearningRate);
        Assert.Equal(8, Resolved("rslora: true").Alpha); // 8 / sqrt(16) = 2 = 32 / 16
        Assert.Equal(512, Resolved("", model: Small with { ContextLength = 512 }).MaxLength);
        Assert.Equal(200, Resolved("", examples: 100_000).Validation.Count);
        Assert.Equal(HeldOut.None, Resolved("", examples: 9).Validation);
        Assert.Equal((4, 0), (Resolved("", examples: 40).BatchSize, Resolved("", examples: 40).EarlyStopping));
        Assert.Equal((0, 0), (Resolved("validation: none").EvaluateEvery, Resolved("validation: none").EarlyStopping));
        Assert.Equal(500, Resolved("validation: none\nmax_steps: 500", examples: 100).TotalSteps(100)); // as many epochs as it takes
        Assert.Equal(30, Resolved("validation: none\nmax_steps: 30\nepochs: 1", examples: 1000).TotalSteps(1000));
    }

    [Theory]
    [InlineData("model: null", "missing_field", 0)]
    [InlineData("data: null", "missing_field", 0)]
    [InlineData("max_length: 4096", "bad_max_length", 3)]
    [InlineData("validation: 1000", "bad_split", 3)]
    [InlineData("schedule: constant\nmin_learning_rate: 0.1", "bad_value", 4)]
    public void What_does_not_fit_is_said_with_its_place(string yaml, string code, int line)
    {
        var start = string.Concat(new[] { "model: m\n", "data: d\n" }.Where(l => !yaml.StartsWith(l[..4], StringComparison.Ordinal)));
        var e = Assert.Throws<InputException>(() => Recipe.Parse(start + yaml, "r.yaml").Resolve(Small, new DataFacts(1000)));
        Assert.Equal(code, e.Code);
        Assert.Equal(line == 0 ? null : line, e.Line);
    }

    [Fact]
    public void Schedules_are_made_for_the_whole_run()
    {
        Assert.Equal(new CosineSchedule(20, 196), Resolved("").CreateSchedule(196));
        Assert.Equal(new LinearSchedule(5, 196, 0.5), Resolved("schedule: linear\nwarmup: 5\nmin_learning_rate: 0.5").CreateSchedule(196));
        Assert.Equal(new ConstantSchedule(0), Resolved("schedule: constant\nwarmup: 0").CreateSchedule(196));
        Assert.Equal(new WarmupStableDecaySchedule(10, 70, 20), Resolved("schedule: wsd").CreateSchedule(100));
    }

    [Fact]
    public void Both_recipes_have_the_same_fields_and_each_is_described()
    {
        static string[] Fields(Type type) => [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => $"{p.Name}: {(Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType).Name}").Order(StringComparer.Ordinal)];
        Assert.Equal(Fields(typeof(ResolvedRecipe)), Fields(typeof(Recipe)));
        Assert.Equal(Fields(typeof(Recipe)).Length, RecipeField.All.Count);
        Assert.Equal(["model", "data"], RecipeField.All.Where(f => f.IsRequired).Select(f => f.Name));
        Assert.All(RecipeField.All, f => Assert.True(f.Help.Length > 10 && f.Kind.Length > 3, f.Name));
        Assert.All(RecipeField.All, f => Assert.Contains($"| `{f.Name}` |", RecipeWriter.Reference(), StringComparison.Ordinal));
        // Another trainer's name points to one field, and is none of ours.
        var others = RecipeField.All.SelectMany(f => f.AlsoCalled).ToArray();
        Assert.Equal(others.Length, others.Distinct(StringComparer.Ordinal).Count());
        Assert.DoesNotContain(others, o => RecipeField.Find(o) is not null);
    }

    [Fact]
    public void A_written_recipe_reads_back_to_the_same_whatever_model_and_data_are()
    {
        var text = ArbMap.Default.ArbFor<UnicodeString>().Generator.Select(s => s.Get);
        var arbitrary = Gen.Choose(1, 100_000).Zip(text).Zip(ArbMap.Default.ArbFor<NormalFloat>().Generator).ToArbitrary();
        Check.QuickThrowOnFailure(Prop.ForAll(arbitrary, x =>
        {
            var ((examples, words), number) = x;
            words = WithoutHalfSurrogates(words);
            var recipe = new Recipe
            {
                Model = words + "m", Data = [words + "a", " b, c"], System = words, Metric = "null",
                Epochs = Math.Clamp(Math.Abs(number.Get), 0.001, 9), LearningRate = 1 / 3.0 / (1 + Math.Abs(number.Get)),
                Columns = new Dictionary<string, string>(StringComparer.Ordinal) { [words + "k"] = words, ["z"] = "", ["a"] = "~" },
                AlphaPattern = new Dictionary<string, double>(StringComparer.Ordinal) { ["^model\\.layers\\.(0|1).*{2}"] = 0.1 },
                Warmup = Amount.Share(1), ModulesToSave = ["model.norm", words + "b"], Bias = BiasTraining.LoraOnly, LoraPlusRatio = 16, Method = TrainingMethod.Dora,
                Suffix = "v1.2-b", Test = examples > 20 ? HeldOut.FromCount(3) : null, Validation = examples > 20 ? null : HeldOut.FromFile("none"),
            };
            var resolved = recipe.Resolve(Small, new DataFacts(examples));
            var yaml = resolved.ToYaml();
            var read = Recipe.Parse(yaml);
            Assert.All(RecipeField.All.Where(f => f.Name is not ("system" or "warmup_data" or "anneal")), f => Assert.NotNull(f.Get(read)));
            var again = read.Resolve(Small with { Parameters = 1 }, new DataFacts(100_000));
            Assert.Equal(yaml, again.ToYaml());
            Assert.Equal((recipe.Model, words, recipe.Epochs, recipe.LearningRate), (again.Model, again.System, again.Epochs, again.LearningRate));
            Assert.Equal(recipe.Data, again.Data);
            Assert.Equal(recipe.Columns.OrderBy(c => c.Key, StringComparer.Ordinal), again.Columns);
        }));
    }

    internal ResolvedRecipe Resolved(string yaml, ModelFacts? model = null, int examples = 1000) =>
        Recipe.Parse("model: m\ndata: data/tickets.jsonl\n" + yaml).Resolve(model ?? Small, new DataFacts(examples));

    /// <summary>A file holds no half surrogates, so a recipe cannot either.</summary>
    private static string WithoutHalfSurrogates(string text) => string.Concat(text.EnumerateRunes().Where(r => r.Value != 0xFFFD));
}
