using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Small random language models run by transformers: logits, hidden states, loss and every gradient.</summary>
[Trait("Category", "Golden")]
public class ArchitectureGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Models_match_transformers()
    {
        var cases = new List<string>();
        var failures = new List<string>();
        foreach (var folder in Folders())
        {
            foreach (var config in Directory.GetFiles(folder, "config*.json"))
            {
                var name = $"{Path.GetFileName(folder)}/{Path.GetFileName(config)}";
                failures.AddRange(Check(folder, config).Select(f => $"{name}: {f}"));
                cases.Add(name);
            }
        }

        output.WriteLine($"{cases.Count} cases: {string.Join(", ", cases)}");
        Assert.Empty(failures);
        Assert.NotEmpty(cases);
    }

    [SkippableFact]
    public void Greedy_runs_match_transformers()
    {
        var runs = 0;
        foreach (var folder in Folders())
        {
            using var model = Open(folder);
            using var engine = new Engine(2);
            if (!GoldenJson.Read(folder, "golden.json").TryGetProperty("greedy", out var greedy))
            {
                continue;
            }

            var options = new SamplingOptions { MaxTokens = greedy.GetProperty("max_new_tokens").GetInt32() };
            var expected = greedy.GetProperty("runs").EnumerateArray().ToArray();
            var requests = expected.Select(r => new GenerationRequest(r.GetProperty("prompt").Ints(), options, new HashSet<int>())).ToArray();

            // Alone, and where the rotation does not depend on the batch also all together.
            var together = model.Config.Rotary.Scaling == "dynamic" ? [] : Generate(model, engine, requests);
            for (var i = 0; i < requests.Length; i++, runs++)
            {
                var wanted = expected[i].GetProperty("generated").Ints();
                Assert.Equal(wanted, Generate(model, engine, [requests[i]])[0]);
                Assert.Equal(wanted, together.Length == 0 ? wanted : together[i]);
            }
        }

        output.WriteLine($"{runs} greedy runs passed");
        Assert.NotEqual(0, runs);
    }

    /// <summary>With the cache, together and across LongRoPE's threshold, comes what whole forward passes give.</summary>
    [SkippableFact]
    public void Generation_with_the_cache_is_that_without()
    {
        foreach (var folder in Folders())
        {
            using var model = Open(folder);
            if (model.Config.Rotary.Scaling == "dynamic")
            {
                continue; // its older keys keep their rotation
            }

            using var engine = new Engine(2);
            var longest = Math.Min(model.ContextLength, 24);
            int[][] prompts = [[.. Enumerable.Range(1, 5)], [.. Enumerable.Range(3, longest / 2)], [7]];
            var options = new SamplingOptions { MaxTokens = longest - longest / 2 };
            var together = Generate(model, engine, [.. prompts.Select(p => new GenerationRequest(p, options, new HashSet<int>()))]);
            for (var p = 0; p < prompts.Length; p++)
            {
                List<int> tokens = [.. prompts[p]];
                for (var i = 0; i < options.MaxTokens; i++)
                {
                    var logits = Logits(model, engine, [.. tokens]);
                    var last = logits.AsSpan(logits.Length - model.Vocabulary);
                    var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(last);
                    Assert.True(last[best] - last[together[p][i]] < 1e-4, $"{Path.GetFileName(folder)}: prompt {p}, token {i}");
                    tokens.Add(together[p][i]);
                }
            }
        }
    }

    /// <summary>A conversation that grows beyond the threshold, and one that begins anew after it: keys are rotated otherwise on either side.</summary>
    [SkippableFact]
    public void Kept_keys_do_not_go_across_LongRoPEs_threshold()
    {
        var models = 0;
        foreach (var folder in Folders())
        {
            using var model = Open(folder);
            if (model.ShortContext > 100)
            {
                continue;
            }

            models++;
            using var engine = new Engine(2);
            var kept = new SequenceCache();
            var options = new SamplingOptions { MaxTokens = 2 };
            foreach (var (length, reused) in new[] { (model.ShortContext - 4, 0), (model.ShortContext + 2, 0), (model.ShortContext + 6, model.ShortContext + 2), (model.ShortContext - 4, 0) })
            {
                var request = new GenerationRequest([.. Enumerable.Range(1, length).Select(i => i % model.Vocabulary)], options, new HashSet<int>());
                var tokens = new List<int>();
                new Generator(model, engine, kept: kept).Run(
                    [request],
                    (_, token) =>
                    {
                        tokens.Add(token);
                        return true;
                    },
                    (_, _) => { });
                Assert.Equal(Generate(model, engine, [request])[0], tokens);
                Assert.Equal(reused, kept.Reused);
            }
        }

        Skip.If(models == 0, "no model with LongRoPE among them");
    }

    /// <summary>Two sequences of one batch, one after the other and each by itself.</summary>
    [SkippableFact]
    public void Packed_sequences_give_what_separate_ones_give()
    {
        foreach (var folder in Folders())
        {
            using var model = Open(folder);
            using var engine = new Engine(2);
            int[] first = [1, 5, 9, 3, 3, 8, 2], second = [4, 9, 9, 1];
            using var tape = new Tape(engine, recording: false);
            var hidden = model.Forward(tape, new ForwardInput([.. first, .. second], new Segments(new Segment(0, first.Length), new Segment(first.Length, second.Length))));
            var packed = model.Logits(tape, hidden).ToArray();
            float[] separate = [.. Logits(model, engine, first), .. Logits(model, engine, second)];
            Assert.Empty(Compare(Path.GetFileName(folder), packed, separate, 1e-5));
        }
    }

    internal static float[] Logits(LanguageModel model, Engine engine, int[] ids, LoraAdapter? adapter = null)
    {
        using var tape = new Tape(engine, recording: false);
        return model.Logits(tape, model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))) { Adapter = adapter })).ToArray();
    }

    internal static int[][] Generate(LanguageModel model, Engine engine, GenerationRequest[] requests)
    {
        var tokens = requests.Select(_ => new List<int>()).ToArray();
        new Generator(model, engine).Run(
            requests,
            (i, token) =>
            {
                tokens[i].Add(token);
                return true;
            },
            (_, _) => { });
        return [.. tokens.Select(t => t.ToArray())];
    }

    /// <summary>The language models of the architectures that are built.</summary>
    internal static string[] Folders() =>
        [.. Directory.GetDirectories(GoldenData.RequireFolder("models")).Order().Where(folder => IsOf(folder, ModelLoader.ModelTypes.Contains))];

    internal static bool IsOf(string folder, Func<string, bool> modelType) =>
        File.Exists(Path.Combine(folder, "golden.json"))
        && GoldenJson.Read(folder, "golden.json") is var golden
        && golden.TryGetProperty("model_type", out var type) && modelType(type.GetString()!)
        && golden.GetProperty("task").GetString() == "causal-lm";

    internal static LanguageModel Open(string folder, string? config = null, bool trainable = false) =>
        ModelLoader.Open(ModelConfig.Open(config ?? Path.Combine(folder, "config.json")), folder, trainable);

    private static IEnumerable<string> Check(string folder, string configPath)
    {
        var golden = new GoldenTensors(Path.Combine(folder, "golden.safetensors"));
        var summary = GoldenJson.Read(folder, "golden.json");
        using var model = Open(folder, configPath, trainable: true);
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        var (ids, rows, segments, targets) = Batch(golden);

        // Hidden states and logits: the padded batch has no padding here, so compare row by row where the mask is 1.
        var found = new List<string>();
        var hidden = model.Forward(tape, new ForwardInput(ids, segments)
        {
            Observe = (i, x) => found.AddRange(Compare($"hidden_states.{i}", x.ToArray(), Gather(golden, $"hidden_states.{i}", rows), 1e-4)),
        });
        using (var inference = new Tape(engine, recording: false))
        {
            var logits = model.Logits(inference, inference.Constant(hidden.ToArray(), hidden.Rows, hidden.Columns)).ToArray();
            found.AddRange(Compare("logits", logits, Gather(golden, "logits", rows), 1e-4));
        }

        var logProbabilities = model.LogProbabilities(tape, hidden, [.. targets.Select(t => t.Source)], [.. targets.Select(t => t.Token)]);
        var values = logProbabilities.ToArray();
        var loss = -Enumerable.Range(0, targets.Length).Average(i => values[3 * i]);
        var expected = summary.GetProperty("loss_float64").GetDouble();
        if (!(Math.Abs(loss - expected) <= 1e-5 * expected))
        {
            found.Add($"loss {loss}, expected {expected}");
        }

        var gradient = new float[values.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            gradient[3 * i] = -1f / targets.Length;
        }

        tape.Backward(logProbabilities, gradient);
        var largest = summary.GetProperty("largest_abs_grad").GetDouble();
        foreach (var (name, weight) in model.Weights)
        {
            // Under the file's own names, which may lack the first part.
            var wanted = golden.Floats(golden.Has($"grad.{name}") ? $"grad.{name}" : $"grad.{name[(name.IndexOf('.') + 1)..]}");
            var tolerance = 1e-4 * Math.Max(wanted.Max(Math.Abs), 1e-3 * largest);
            var actual = weight.Gradient!.ToArray();
            found.AddRange(Compare($"grad.{name}", model.IsTurned(name) ? Weight.FromValues(name, false, actual, [.. weight.Shape]).Turned().ToArray() : actual, wanted, tolerance));
        }

        var count = golden.Names.Count(n => n.StartsWith("grad.", StringComparison.Ordinal));
        return count == model.Weights.Count ? found : [.. found, $"{model.Weights.Count} weights, the golden model has {count}"];
    }

    /// <summary>An adapter of every architecture's linear layers, saved as PEFT does and read again.</summary>
    [SkippableFact]
    public void Adapters_go_on_every_architecture()
    {
        using var scratch = new ScratchFolder();
        foreach (var folder in Folders())
        {
            using var model = Open(folder);
            using var engine = new Engine(2);
            var adapter = LoraAdapter.Create(model, new PeftConfig { Rank = 2, Alpha = 4, TargetPattern = PeftConfig.AllLinear }, seed: 1);
            foreach (var b in adapter.Weights.Where(w => w.Name.EndsWith("lora_B", StringComparison.Ordinal)))
            {
                b.SetValues([.. Enumerable.Range(0, (int)b.Count).Select(i => 0.1f * (i % 5 - 2))]);
            }

            var saved = Directory.CreateDirectory(scratch.File(Path.GetFileName(folder))).FullName;
            adapter.Save(saved, folder);
            int[] ids = [1, 5, 9, 3, 7];
            var changed = Logits(model, engine, ids, adapter);
            Assert.NotEqual(Logits(model, engine, ids), changed);
            Assert.Equal(changed, Logits(model, engine, ids, LoraAdapter.Load(model, saved)));
            Assert.Equal(model.LinearLayers.Select(l => l.Name), adapter.Modules);
        }
    }

    /// <summary>The real tokens of the padded batch as segments, and the labels as (source, token) pairs.</summary>
    internal static (int[] Ids, int[] Rows, Segments Segments, (int Source, int Token)[] Targets) Batch(GoldenTensors golden)
    {
        var (all, mask, labels) = (golden.Ints("input_ids"), golden.Ints("attention_mask"), golden.Ints("labels"));
        var length = (int)golden.Shape("input_ids")[1];
        var rows = Enumerable.Range(0, all.Length).Where(i => mask[i] == 1).ToArray();
        var segments = new List<Segment>();
        var targets = new List<(int, int)>();
        for (var r = 0; r < rows.Length; r++)
        {
            if (rows[r] % length == 0)
            {
                segments.Add(new Segment(r, mask.Skip(rows[r]).Take(length).Sum()));
            }
            else if (labels[rows[r]] != -100)
            {
                targets.Add((r - 1, labels[rows[r]]));
            }
        }

        return ([.. rows.Select(i => all[i])], rows, new Segments([.. segments]), [.. targets]);
    }

    internal static float[] Gather(GoldenTensors golden, string name, int[] rows)
    {
        var all = golden.Floats(name);
        var width = (int)golden.Shape(name)[^1];
        return [.. rows.SelectMany(r => all.Skip(r * width).Take(width))];
    }

    internal static IEnumerable<string> Compare(string what, float[] actual, float[] expected, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = Enumerable.Range(0, actual.Length).Max(i => Math.Abs(actual[i] - (double)expected[i]));
        if (!(worst <= tolerance))
        {
            yield return $"{what} is off by {worst:E1}, allowed {tolerance:E1}";
        }
    }
}
