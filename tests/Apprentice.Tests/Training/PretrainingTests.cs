using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;
using Apprentice.Training;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Training;

/// <summary>Pretraining of a tiny model on a slice of made-up text.</summary>
public sealed class PretrainingTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly string _model;
    private readonly string _data;
    private readonly string _best;

    public PretrainingTests()
    {
        _model = TinyModel.Folder(_scratch);
        File.Delete(Path.Combine(_model, "model.safetensors"));
        var random = new CounterRandom(5, RandomStream.Sampling);
        string[] words = ["the ", "cat ", "aa", "sat ", "on ", "a mat", ". ", "the bath "];
        _data = _scratch.File("data.jsonl");
        File.WriteAllLines(_data, Enumerable.Range(0, 200).Select(i =>
            $$"""{"text":"{{string.Concat(Enumerable.Range(0, 4 + i % 40).Select(w => words[random.Below(words.Length, (ulong)(100 * i + w))]))}}"}"""));
        _best = _scratch.File("best.jsonl");
        File.WriteAllLines(_best, Enumerable.Range(0, 60).Select(i => $$"""{"prompt":"the best {{i}}","completion":"aaaa {{i % 3}}"}"""));
    }

    public void Dispose() => _scratch.Dispose();

    /// <summary>The first 200 steps of a recipe, as short as they come: one thread, two threads, cut in the middle.</summary>
    [Theory]
    [InlineData("adamw")]
    [InlineData("muon")]
    public void The_first_200_steps_reproduce_bit_for_bit(string optimizer)
    {
        string[] options = ["--optimizer", optimizer, "--max-steps", "200", "--warmup-data", _best, "--anneal", _best, "--validation", _best, "--evaluate-every", "50"];
        Assert.Equal(RunStatus.Succeeded, Run("one", [.. options, "--threads", "1"]).Status);
        Run("two", [.. options, "--threads", "2"]);
        using var interrupt = new CancellationTokenSource();
        var paused = Trainer.Train(Recipe("cut", [.. options, "--threads", "2"]), new After(70, interrupt), interrupt.Token);
        Assert.Equal(RunStatus.Paused, paused.Status);
        Assert.Equal(RunStatus.Succeeded, Trainer.Resume(_scratch.File("cut")).Status);
        foreach (var other in new[] { "two", "cut" })
        {
            Assert.Equal(Losses("one"), Losses(other));
            Assert.Equal(File.ReadAllBytes(_scratch.File("one/model/model.safetensors")), File.ReadAllBytes(_scratch.File($"{other}/model/model.safetensors")));
        }
    }

    [Fact]
    public void It_learns_and_every_command_can_use_the_model()
    {
        var summary = Run("run", "--max-steps", "150", "--learning-rate", "1e-2", "--validation", _data);
        var events = Events("run");
        Assert.InRange(events[0].TrainLoss!.Value, Math.Log(265) - 0.1, Math.Log(265) + 0.1); // nothing is known yet
        Assert.True(summary.TrainLoss < 2.5, $"loss {summary.TrainLoss}");
        Assert.Equal(150, summary.Steps);
        using var model = LoadedModel.Open(_scratch.File("run"));
        Assert.Equal(summary.TrainableParameters, model.Model.ParameterCount);
    }

    [Fact]
    public void The_loss_of_a_byte_is_the_loss_of_a_token_by_bytes_a_token()
    {
        var summary = Run("run", "--max-steps", "4", "--validation", _best);
        var corpus = ModelText.FromFolder(_model).CorpusEncoder().Encode([_best]);
        Assert.Equal(summary.ValidLoss!.Value * (corpus.Tokens - corpus.Documents) / corpus.Bytes, summary.ValidLossPerByte!.Value, 1e-9);
    }

    [Fact]
    public void A_step_takes_its_tokens_and_the_last_fifth_takes_the_best()
    {
        Run("plain", "--max-steps", "20");
        Run("best", "--max-steps", "20", "--anneal", _best);
        var (plain, best) = (Events("plain"), Events("best"));
        Assert.Equal(plain.Take(16).Select(e => e.TrainLoss), best.Take(16).Select(e => e.TrainLoss));
        Assert.All(Enumerable.Range(16, 4), i => Assert.NotEqual(plain[i].TrainLoss, best[i].TrainLoss));
        Assert.Equal(best[15].Epoch, best[19].Epoch);
        Assert.Equal(0, best[0].Lr);
        Assert.True(best[19].Lr < best[15].Lr);
    }

    [Fact]
    public void The_first_steps_take_documents_of_their_own_and_the_data_begins_after_them()
    {
        Run("plain", "--max-steps", "20", "--learning-rate", "0.000000001");
        Run("first", "--max-steps", "20", "--learning-rate", "0.000000001", "--warmup", "5", "--warmup-data", _best);
        var (plain, first) = (Events("plain"), Events("first"));
        Assert.All(Enumerable.Range(0, 5), i => Assert.NotEqual(plain[i].TrainLoss, first[i].TrainLoss));
        Assert.All(Enumerable.Range(5, 15), i => Assert.Equal(plain[i - 5].TrainLoss!.Value, first[i].TrainLoss!.Value, 1e-4)); // hardly learning, it sees the same
        Assert.Equal((0, plain[0].Epoch), (first[4].Epoch, first[5].Epoch));
    }

    [Fact]
    public void What_it_ends_with_is_published_even_where_the_validation_loss_was_lower_before()
    {
        // So high a rate that the loss rises again.
        var summary = Run("run", "--max-steps", "30", "--learning-rate", "1", "--clip", "0", "--validation", _best, "--evaluate-every", "5");
        Assert.Equal(Events("run")[^1].ValidLoss, summary.ValidLoss);
        Assert.Equal(
            File.ReadAllBytes(_scratch.File("run/checkpoints/step-000030/model.safetensors")), File.ReadAllBytes(_scratch.File("run/model/model.safetensors")));
    }

    [Theory]
    [InlineData("bad_value", "--validation", "0.1")]
    [InlineData("bad_value", "--batch-tokens", "16")]
    [InlineData("bad_value", "--anneal", "best.jsonl", "--schedule", "cosine")]
    [InlineData("bad_value", "--method", "full", "--batch-tokens", "512")]
    [InlineData("bad_value", "--method", "lora", "--anneal", "best.jsonl")]
    [InlineData("bad_value", "--method", "full", "--warmup-data", "best.jsonl")]
    [InlineData("bad_value", "--warmup-data", "best.jsonl", "--warmup", "0")]
    [InlineData("bad_value", "--warmup-data", "best.jsonl", "--warmup", "1.0")]
    [InlineData("bad_value", "--anneal", "best.jsonl", "--decay", "0")]
    [InlineData("bad_value", "--early-stopping", "3")]
    public void What_does_not_fit_is_refused(string code, params string[] options)
    {
        if (options.Contains("--method"))
        {
            TinyModel.Folder(_scratch, "tiny");
        }

        Assert.Equal(code, Assert.Throws<InputException>(() => Run("run", options)).Code);
        Assert.False(Directory.Exists(_scratch.File("run")));
    }

    /// <summary>The records of an array are told apart while they are encoded, on other threads.</summary>
    [Fact]
    public void An_array_that_is_cut_off_is_an_error_of_the_file()
    {
        File.WriteAllText(_data, """[{"text": "one"}, {"text": "tw""");
        Assert.Equal(_data, Assert.Throws<InputException>(() => Run("run", "--max-steps", "2")).File);
    }

    [Fact]
    public void A_model_that_has_weights_is_not_begun_anew()
    {
        TinyModel.Folder(_scratch, "tiny");
        var error = Assert.Throws<InputException>(() => Run("run", "--max-steps", "2"));
        Assert.Equal("bad_method", error.Code);
        Assert.Contains("--method full", error.Hint, StringComparison.Ordinal);
    }

    private TrainingSummary Run(string name, params string[] options) => Trainer.Train(Recipe(name, options));

    private Recipe Recipe(string name, params string[] options)
    {
        var given = new Dictionary<string, string>
        {
            ["--method"] = "pretrain", ["--model"] = _model, ["--data"] = _data, ["--out"] = _scratch.File(name), ["--max-length"] = "64", ["--threads"] = "2",
        };
        if (!options.Contains("--method"))
        {
            given["--batch-tokens"] = "128";
        }

        for (var i = 0; i < options.Length; i += 2)
        {
            given[options[i]] = options[i + 1] == "best.jsonl" ? _best : options[i + 1];
        }

        return Apprentice.Training.Recipes.Recipe.FromOptions(given);
    }

    private List<RunEvent> Events(string name) => [.. EventLog.Read(_scratch.File($"{name}/events.jsonl"))];

    private (double?, double?, double?, double?)[] Losses(string name) => [.. Events(name).Select(e => (e.TrainLoss, e.ValidLoss, e.ValidLossPerByte, e.GradNorm))];

    /// <summary>Interrupts once so many steps are done.</summary>
    private sealed class After(int steps, CancellationTokenSource interrupt) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step >= steps)
            {
                interrupt.Cancel();
            }
        }
    }
}
