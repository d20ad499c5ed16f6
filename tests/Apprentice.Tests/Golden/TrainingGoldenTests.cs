using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Batching;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Training;
using Apprentice.Training.Losses;
using Apprentice.Training.Optimizers;
using Apprentice.Training.Schedules;
using Xunit.Abstractions;
using AttentionSegment = Apprentice.Tensors.Ops.Segment;
using BatchSegment = Apprentice.Data.Batching.Segment;

namespace Apprentice.Tests.Golden;

/// <summary>Whole training runs on a small Llama against PyTorch and PEFT: every step, final weights, packing.</summary>
[Trait("Category", "Golden")]
public class TrainingGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Full_fine_tuning_follows_the_trajectory()
    {
        var folder = GoldenData.RequireFolder("training/sft");
        var (cases, final) = (0, 0);
        foreach (var file in Directory.GetFiles(folder, "*.json").Where(f => GoldenJson.Read(f).TryGetProperty("steps", out _)))
        {
            var golden = GoldenJson.Read(file);
            var settings = golden.GetProperty("settings");
            using var engine = new Engine(2);
            using var model = Open(Path.Combine(folder, "model"), trainable: true);
            var smoothing = Number(settings, "label_smoothing", 0);
            var loss = new SupervisedLoss(smoothing, Number(settings, "z_loss", 0));
            var run = Step(engine, model, null, model.Weights.Values, settings, loss, decayVectors: settings.GetProperty("no_decay").GetArrayLength() == 0);
            Follow(golden, folder, run, (int)Number(settings, "micro_batches", 1), Path.GetFileName(file), 1e-5);

            // The copies in tests/golden have the steps without the final weights, which are large.
            var weights = Path.Combine(folder, golden.GetProperty("final_weights").GetString()!);
            final += File.Exists(weights) ? 1 : 0;
            foreach (var (name, weight) in model.Weights.Where(_ => File.Exists(weights)))
            {
                var (actual, expected) = (weight.ToArray(), new GoldenTensors(weights).Floats(name));
                var differences = actual.Zip(expected, (a, e) => Math.Abs((double)a - e)).ToArray();
                Assert.True(differences.Max() <= 2e-5, $"{Path.GetFileName(file)}: {name} is off by {differences.Max():E1}");
                Assert.True(Math.Sqrt(differences.Average(d => d * d)) <= 1e-6, $"{Path.GetFileName(file)}: {name} rms");
            }

            cases++;
        }

        output.WriteLine($"{cases} cases passed, final weights skipped for {cases - final} because they are not there");
        Assert.NotEqual(0, cases);
    }

    [SkippableFact]
    public void First_batch_gradients_match()
    {
        var folder = GoldenData.RequireFolder("training/sft");
        var gradients = GoldenData.RequireFile("training/sft", "first_batch_grads.safetensors");
        var (train, order, _) = Examples(folder);
        using var engine = new Engine(2);
        using var model = Open(Path.Combine(folder, "model"), trainable: true);
        CheckGradients(engine, model, Batch.Pack([.. order[0].Select(i => train[i])]), gradients);
    }

    [SkippableFact]
    public void Lora_follows_the_trajectory()
    {
        var data = GoldenData.RequireFolder("training/sft");
        var root = GoldenData.RequireFolder("training/lora_sft");
        var (cases, skipped) = (0, new List<string>());
        foreach (var folder in Directory.GetDirectories(root).Order())
        {
            var name = Path.GetFileName(folder);
            if (!File.Exists(Path.Combine(folder, "trajectory.json")))
            {
                skipped.Add(name); // PiSSA is a way to begin, without steps
                continue;
            }

            using var engine = new Engine(2);
            using var model = Open(Path.Combine(data, "model"), trainable: false);
            var adapter = LoraAdapter.Load(model, Path.Combine(folder, "initial"), trainable: true);
            var golden = GoldenJson.Read(folder, "trajectory.json");
            var settings = golden.GetProperty("settings");
            var run = Step(engine, model, adapter, adapter.Weights, settings, new SupervisedLoss(), decayVectors: true, adapter.RateFactors(Number(settings, "loraplus_ratio", 1)));
            var checks = new GoldenTensors(Path.Combine(folder, "checks.safetensors"));
            var probe = golden.GetProperty("probe_ids").Ints();
            Close(checks.Floats("base_logits"), LastLogits(engine, model, null, probe), 1e-4, $"{name}: base logits");
            Close(checks.Floats("initial_logits"), LastLogits(engine, model, adapter, probe), 1e-4, $"{name}: initial logits");
            Follow(golden, data, run, 1, name, 1e-5);
            Close(checks.Floats("trained_logits"), LastLogits(engine, model, adapter, probe), 5e-4, $"{name}: trained logits");

            Close(checks.Floats("merged_layer0_q_proj"), LoraGoldenTests.Merged(model, adapter, "model.layers.0.self_attn.q_proj.weight"), 1e-4, $"{name}: merged");

            // The final adapter, written and read back.
            using var saved = new Models.Weights.ScratchFolder();
            adapter.Save(saved.Path, "sft/model");
            var read = SafetensorsFile.Open(saved.File(PeftAdapter.WeightsName));
            var expected = SafetensorsFile.Open(Path.Combine(folder, "final", PeftAdapter.WeightsName));
            Assert.Equal(expected.Tensors.Select(t => t.Name), read.Tensors.Select(t => t.Name));
            foreach (var tensor in expected.Tensors)
            {
                Close(expected.ReadFloats(tensor.Name), read.ReadFloats(tensor.Name), 1e-4, $"{name}: {tensor.Name}");
            }

            cases++;
        }

        output.WriteLine($"{cases} cases passed, {skipped.Count} skipped because they have no steps: {string.Join(", ", skipped)}");
        Assert.NotEqual(0, cases);
    }

    [SkippableFact]
    public void Packed_examples_give_the_gradients_of_separate_ones()
    {
        var folder = GoldenData.RequireFolder("training/packing");
        var golden = GoldenJson.Read(folder, "block_diagonal.json");
        var model = Path.Combine(GoldenData.RequireFolder("training/sft"), "model");
        using var engine = new Engine(2);
        using var llama = Open(model, trainable: true);
        var batch = Batch.Pack([.. golden.GetProperty("examples").EnumerateArray().Select(Example)]);
        var loss = CheckGradients(engine, llama, batch, Path.Combine(folder, "block_diagonal.grads.safetensors"));
        Assert.Equal(golden.GetProperty("loss_mean").GetDouble(), loss, 1e-5);
    }

    /// <summary>Completions of one prompt, packed as a tree, in sum and weighted.</summary>
    [SkippableFact]
    public void A_shared_prefix_gives_the_gradients_of_separate_examples()
    {
        var folder = GoldenData.RequireFolder("training/packing");
        GoldenData.RequireFile(folder, "shared_prefix.json");
        var golden = GoldenJson.Read(folder, "shared_prefix.json");
        var batch = Batch.Pack(PackingTests.Examples(golden.GetProperty("prompt").Ints(), golden.GetProperty("completions")), sharePrefixes: true);
        var weights = golden.GetProperty("weights").Doubles();
        foreach (var (file, loss) in golden.GetProperty("gradients_of").EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)))
        {
            var weighted = loss.Contains("weighted", StringComparison.Ordinal);
            using var engine = new Engine(2);
            using var llama = Open(Path.Combine(GoldenData.RequireFolder("training/sft"), "model"), trainable: true);
            var targets = weighted ? batch.Targets.Select(t => t with { Weight = (float)weights[t.Example] }) : batch.Targets;
            var sum = CheckGradients(engine, llama, batch with { Targets = [.. targets] }, GoldenData.RequireFile(folder, file), divideBy: 1);
            Near(golden.GetProperty(loss).GetDouble(), sum, 1e-4, loss);
        }
    }

    internal static Llama Open(string folder, bool trainable)
    {
        WeightSource source = new SafetensorsSource(folder);
        return new Llama(DecoderConfig.From(ModelConfig.Open(Path.Combine(folder, "config.json"))), trainable ? new TrainableSource(source) : source);
    }

    /// <summary>Loss divided by the weight, or by a given number; compares the gradient of every weight that the file has.</summary>
    private static double CheckGradients(Engine engine, Llama model, Batch batch, string file, double? divideBy = null)
    {
        var divisor = divideBy ?? batch.TotalWeight;
        using var tape = new Tape(engine);
        var logP = BatchForward.Run(tape, model, null, batch);
        var gradient = new float[3 * batch.Targets.Length];
        var sum = new SupervisedLoss().Evaluate(logP.ToArray(), batch.Targets, divisor, gradient);
        tape.Backward(logP, gradient);
        var golden = new GoldenTensors(file);
        var names = golden.Names.Where(model.Weights.ContainsKey).ToArray(); // the small copies have some of them; other tensors lie beside
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            var expected = golden.Floats(name);
            Close(expected, model.Weights[name].Gradient!.ToArray(), 1e-6 + (2e-5 * expected.Max(Math.Abs)), name);
        }

        return sum.Objective / divisor;
    }

    private static (TrainingStep Step, AdamW Optimizer) Step(
        Engine engine, Llama model, LoraAdapter? adapter, IEnumerable<Weight> weights, JsonElement settings, SupervisedLoss loss, bool decayVectors, Func<Weight, double>? rateFactors = null)
    {
        var optimizer = new AdamW(engine, weights, new AdamWSettings(WeightDecay: Number(settings, "weight_decay", 0.01), DecayVectors: decayVectors)) { RateFactor = rateFactors ?? (_ => 1) };
        return (new TrainingStep(engine, model, adapter, optimizer, loss, Number(settings, "clip", 1)), optimizer);
    }

    private static void Follow(JsonElement golden, string data, (TrainingStep Step, AdamW Optimizer) run, int microBatches, string name, double tolerance)
    {
        var (train, order, heldOut) = Examples(data);
        var rate = Number(golden.GetProperty("settings"), "lr", 0);
        var steps = golden.GetProperty("steps").EnumerateArray().ToArray();
        var schedule = new CosineSchedule(3, steps.Length);
        Assert.Equal(golden.GetProperty("eval_loss_before").GetDouble(), Evaluate(run.Step, heldOut), tolerance);
        for (var s = 0; s < steps.Length; s++)
        {
            var examples = order[s].Select(i => train[i]).ToArray();
            var batches = examples.Chunk((examples.Length + microBatches - 1) / microBatches).Select(c => Batch.Pack(c)).ToArray();
            var lr = rate * schedule.Multiplier(s);
            Assert.Equal(steps[s].GetProperty("lr").GetDouble(), lr, 1e-9);
            var result = run.Step.Run(new StepBatch(batches, batches.Sum(b => b.TotalWeight)), lr);
            Near(steps[s].GetProperty("loss").GetDouble(), result.Loss.Objective / result.Loss.Weight, tolerance, $"{name} step {s} loss");
            var norm = steps[s].GetProperty("grad_norm").GetDouble();
            Near(norm, result.GradientNorm, 2e-5 * norm, $"{name} step {s} gradient norm");
            if (steps[s].TryGetProperty("nll", out var nll))
            {
                Near(nll.GetDouble(), result.Loss.NegativeLogLikelihood / result.Loss.Weight, tolerance, $"{name} step {s} nll");
            }
        }

        Near(golden.GetProperty("eval_loss_after").GetDouble(), Evaluate(run.Step, heldOut), tolerance, $"{name} loss after");
    }

    /// <summary>Held-out loss, always the plain one.</summary>
    private static double Evaluate(TrainingStep step, TokenizedExample[] heldOut)
    {
        var sum = step.Evaluate(Batch.Pack(heldOut));
        return sum.NegativeLogLikelihood / sum.Weight;
    }

    private static (TokenizedExample[] Train, int[][] Order, TokenizedExample[] HeldOut) Examples(string folder)
    {
        var file = GoldenJson.Read(folder, "examples.json");
        return (
            [.. file.GetProperty("train").EnumerateArray().Select(Example)],
            [.. file.GetProperty("batch_order").EnumerateArray().Select(b => b.Ints())],
            [.. file.GetProperty("held_out").EnumerateArray().Select(Example)]);
    }

    private static TokenizedExample Example(JsonElement example) => new(
        example.GetProperty("ids").Ints(), [.. example.GetProperty("labels").Ints().Select(l => l == -100 ? 0f : 1f)]);

    private static float[] LastLogits(Engine engine, Llama model, LoraAdapter? adapter, int[] ids)
    {
        using var tape = new Tape(engine, recording: false);
        var hidden = model.Forward(tape, new ForwardInput(ids, new Segments(new AttentionSegment(0, ids.Length))) { Adapter = adapter });
        return model.Logits(tape, hidden, adapter).ToArray()[^model.Vocabulary..];
    }

    private static double Number(JsonElement settings, string name, double otherwise) =>
        settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;

    private static void Close(float[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
        Assert.True(worst <= tolerance, $"{what} is off by {worst:E1}, allowed {tolerance:E1}");
    }

    private static void Near(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual}, expected {expected}");
}
