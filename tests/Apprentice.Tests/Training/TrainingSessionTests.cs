using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;
using Apprentice.Training;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Training;

/// <summary>Whole runs on a tiny random model.</summary>
public sealed class TrainingSessionTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();
    private readonly string _model;
    private readonly string _data;

    public TrainingSessionTests()
    {
        _model = TinyModel.Folder(_scratch);
        var random = new CounterRandom(9, RandomStream.Sampling);
        _data = _scratch.File("data.jsonl");
        File.WriteAllLines(_data, Enumerable.Range(0, 20).Select(i =>
            $$"""{"prompt":"ask {{i}} {{new string('a', 1 + random.Below(12, (ulong)i))}}","completion":"the ab {{i % 3}}"}"""));
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("lora", "adamw", "adapter/adapter_model.safetensors")]
    [InlineData("lora", "sgd", "adapter/adapter_model.safetensors")]
    [InlineData("dora", "adamw", "adapter/adapter_model.safetensors")]
    [InlineData("full", "sgd", "model/model.safetensors")]
    [InlineData("full", "adamw", "model/model.safetensors")]
    public void Interrupted_and_resumed_it_ends_with_the_same_bits(string method, string optimizer, string file)
    {
        // With dora all that an adapter can train, layers run again in backward.
        string[] options =
        [
            "--method", method, "--optimizer", optimizer, "--dropout", method == "lora" ? "0.2" : "0", "--max-steps", "9",
            .. method == "dora" ? new[] { "--modules-to-save", "model.norm,lm_head", "--lora-plus-ratio", "16", "--bias", "all", "--recompute", "on" } : [],
        ];
        var straight = Run("straight", options);
        Assert.Equal(RunStatus.Succeeded, straight.Status);
        using var interrupt = new CancellationTokenSource();
        var paused = Trainer.Train(Recipe("cut", options), new After(4, interrupt), interrupt.Token);
        Assert.Equal(RunStatus.Paused, paused.Status);
        Assert.InRange(paused.Steps, 4, 8);
        Assert.Equal(RunStatus.Succeeded, Trainer.Resume(_scratch.File("cut")).Status);
        Assert.Equal(File.ReadAllBytes(_scratch.File($"straight/{file}")), File.ReadAllBytes(_scratch.File($"cut/{file}")));
        Assert.Equal(Losses("straight"), Losses("cut"));
    }

    [Fact]
    public void The_lock_names_the_accelerator_and_resuming_on_another_machine_says_so()
    {
        using var engine = new Engine(1, accelerate: true);
        Run("auto", "--max-steps", "2");
        Assert.Equal(engine.Accelerator, Lock("auto")["kernels/accelerator"]);
        using var interrupt = new CancellationTokenSource();
        Trainer.Train(Recipe("off", "--max-steps", "6", "--accelerator", "off"), new After(2, interrupt), interrupt.Token);
        Assert.Equal("none", Lock("off")["kernels/accelerator"]);

        var file = _scratch.File("off/lock.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"none\"", "\"onednn 2.6.3 bf16 amx\"", StringComparison.Ordinal));
        var told = new Messages();
        Assert.Equal(RunStatus.Succeeded, Trainer.Resume(_scratch.File("off"), told).Status);
        Assert.Contains(told, m => m.Contains("kernels/accelerator was onednn 2.6.3 bf16 amx, is none", StringComparison.Ordinal));

        IDictionary<string, string> Lock(string name)
        {
            using var run = RunFolder.Open(_scratch.File(name));
            return run.ReadLock().Settings;
        }
    }

    [Fact]
    public void Optimizers_differ()
    {
        Run("a", "--max-steps", "3");
        Run("b", "--max-steps", "3", "--optimizer", "sgd", "--learning-rate", "1e-3");
        Assert.NotEqual(Losses("a"), Losses("b"));
    }

    [Fact]
    public void Epochs_steps_and_rates_are_counted()
    {
        // 20 examples in batches of 8 are 3 steps an epoch, the last of 4 examples; 2.5 epochs are 8 steps.
        var summary = Run("run", "--batch-size", "8", "--epochs", "2.5", "--schedule", "linear", "--warmup", "2", "--learning-rate", "0.01");
        Assert.Equal(8, summary.Steps);
        var events = Events("run");
        Assert.Equal([1 / 3.0, 2 / 3.0, 1, 4 / 3.0, 5 / 3.0, 2, 7 / 3.0, 8 / 3.0], events.Select(e => e.Epoch!.Value), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(0, events[0].Lr);
        Assert.Equal(0.01, events.Max(e => e.Lr!.Value), 1e-9);
        Assert.Equal(2, events.FindIndex(e => e.Lr == events.Max(x => x.Lr)));
    }

    [Fact]
    public void Early_stopping_ends_the_run_and_the_best_weights_are_published()
    {
        // A rate that ruins the model: validation loss rises from some step on.
        var summary = Run("run", "--validation", "5", "--learning-rate", "0.5", "--schedule", "constant", "--evaluate-every", "1", "--early-stopping", "2", "--max-steps", "60", "--clip", "0");
        Assert.True(summary.Steps < 60, "it should have stopped early");
        var events = Events("run");
        var best = events.MinBy(e => e.ValidLoss!.Value)!;
        Assert.Equal(best.ValidLoss, summary.ValidLoss);
        Assert.Equal(summary.Steps, best.Step + 2);
        Assert.Equal(
            File.ReadAllBytes(_scratch.File($"run/checkpoints/step-{best.Step:D6}/adapter_model.safetensors")),
            File.ReadAllBytes(_scratch.File("run/adapter/adapter_model.safetensors")));
    }

    [Fact]
    public void Dropout_differs_from_step_to_step_and_is_the_same_in_every_run()
    {
        // One example again and again at a rate of nearly 0: only the mask changes the loss.
        File.WriteAllText(_data, """{"prompt":"the","completion":"ab the aaaa"}""");
        string[] options = ["--learning-rate", "1e-9", "--schedule", "constant", "--batch-size", "1", "--max-steps", "5", "--dropout", "0.5", "--warmup", "0"];
        Run("one", options);
        Run("two", options);
        Assert.Equal(Events("one").Select(e => e.GradNorm), Events("two").Select(e => e.GradNorm));
        Assert.Equal(5, Events("one").Select(e => e.GradNorm).Distinct().Count());
        Run("other", [.. options, "--seed", "2"]);
        Assert.NotEqual(Events("one").Select(e => e.GradNorm), Events("other").Select(e => e.GradNorm));
    }

    [Fact]
    public void Micro_batches_add_up_to_the_batch()
    {
        // In float32: the accelerator takes pieces that are large enough, so cutting changes what is rounded to bfloat16.
        Run("whole", "--max-steps", "6", "--accelerator", "off", "--micro-batch-tokens", "4096");
        Run("pieces", "--max-steps", "6", "--accelerator", "off", "--micro-batch-tokens", "40");
        Assert.All(Events("whole").Zip(Events("pieces")), p =>
        {
            Assert.Equal(p.First.TrainLoss!.Value, p.Second.TrainLoss!.Value, 1e-5);
            Assert.Equal(p.First.GradNorm!.Value, p.Second.GradNorm!.Value, 1e-4);
        });
    }

    [Fact]
    public void NaN_in_the_weights_fails_the_run_and_says_where()
    {
        var file = Path.Combine(_model, "model.safetensors");
        using (var model = LoadedModel.Open(_model))
        {
            var broken = model.Model.Weights.ToDictionary(w => w.Key, w => w.Value.ToArray());
            broken["model.layers.1.mlp.up_proj.weight"][5] = float.NaN;
            SafetensorsWriter.Write(file + ".new", model.Model.Weights.Select(w => new SafetensorsTensor(w.Key, w.Value.Shape, broken[w.Key])));
        }

        File.Move(file + ".new", file, overwrite: true);
        var error = Assert.Throws<RunFailedException>(() => Run("run", "--max-steps", "3"));
        Assert.Equal("not_finite", error.Code);
        Assert.Contains("step 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("model.layers.1.mlp.up_proj.weight", error.Message, StringComparison.Ordinal);
        using var run = RunFolder.Open(_scratch.File("run"));
        Assert.Equal(RunStatus.Failed, run.ReadState().Status);
    }

    [Fact]
    public void Columns_and_a_system_message_reach_the_model()
    {
        Run("plain", "--max-steps", "2");
        File.WriteAllText(_data, File.ReadAllText(_data).Replace("\"prompt\"", "\"q\"", StringComparison.Ordinal).Replace("\"completion\"", "\"a\"", StringComparison.Ordinal));
        Assert.Equal("unknown_format", Assert.Throws<InputException>(() => Run("none", "--max-steps", "2")).Code);
        Run("mapped", "--max-steps", "2", "--columns", "prompt=q,completion=a");
        Assert.Equal(Losses("plain"), Losses("mapped"));
        Run("system", "--max-steps", "2", "--columns", "prompt=q,completion=a", "--system", "be kind");
        Assert.NotEqual(Losses("plain"), Losses("system"));
    }

    private TrainingSummary Run(string name, params string[] options) => Trainer.Train(Recipe(name, options));

    private Recipe Recipe(string name, params string[] options)
    {
        var given = new Dictionary<string, string>
        {
            ["--model"] = _model, ["--data"] = _data, ["--out"] = _scratch.File(name), ["--validation"] = "none", ["--rank"] = "2", ["--threads"] = "2",
        };
        for (var i = 0; i < options.Length; i += 2)
        {
            given[options[i]] = options[i + 1];
        }

        return Apprentice.Training.Recipes.Recipe.FromOptions(given);
    }

    private List<RunEvent> Events(string name) => [.. EventLog.Read(_scratch.File($"{name}/events.jsonl")).Where(e => e.Type == RunEventType.Metrics)];

    private (double?, double?, double?)[] Losses(string name) => [.. Events(name).Select(e => (e.TrainLoss, e.ValidLoss, e.GradNorm))];

    private sealed class Messages : List<string>, IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Message is { } message)
            {
                Add(message);
            }
        }
    }

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
