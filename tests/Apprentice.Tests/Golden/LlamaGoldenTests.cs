using System.Text.Json;
using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Small random Llamas run by transformers: logits, hidden states, loss and every gradient.</summary>
[Trait("Category", "Golden")]
public class LlamaGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Models_match_transformers()
    {
        var cases = 0;
        var skipped = 0;
        var failures = new List<string>();
        foreach (var folder in Directory.GetDirectories(GoldenData.RequireFolder("models")).Order())
        {
            if (!IsLlama(folder))
            {
                skipped++;
                continue;
            }

            foreach (var config in Directory.GetFiles(folder, "config*.json"))
            {
                failures.AddRange(Check(folder, config).Select(f => $"{Path.GetFileName(folder)}/{Path.GetFileName(config)}: {f}"));
                cases++;
            }
        }

        output.WriteLine($"{cases} cases passed, {skipped} folders skipped because they are no llama language models");
        Assert.Empty(failures);
        Assert.NotEqual(0, cases);
    }

    /// <summary>A GGUF file whose tensors are of many types, against transformers on the widened weights.</summary>
    [SkippableFact]
    public void Gguf_of_mixed_types_gives_the_logits_of_its_widened_weights()
    {
        var folder = GoldenData.RequireFolder("gguf/tiny-llama");
        var file = GgufFile.Open(Directory.GetFiles(folder, "*.gguf").Single());
        var config = LlamaConfig.From(file);
        using var engine = new Engine(2);
        using var gguf = new Llama(config, Llama.FromGguf(file, config));
        using var hf = new Llama(LlamaConfig.From(ModelConfig.Open(Path.Combine(folder, "hf", "config.json"))), new SafetensorsSource(Path.Combine(folder, "hf")));
        var prompts = GoldenJson.Read(folder, "expected.json").GetProperty("prompts").EnumerateArray().ToArray();
        for (var i = 0; i < prompts.Length; i++)
        {
            var expected = File.ReadAllBytes(Path.Combine(folder, $"logits{i}.f32")).Chunk(4).Select(b => BitConverter.ToSingle(b)).ToArray();
            foreach (var model in new[] { gguf, hf })
            {
                using var tape = new Tape(engine, recording: false);
                var ids = prompts[i].GetProperty("ids").Ints();
                var hidden = model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))));
                Assert.Empty(Compare($"prompt {i}", model.Logits(tape, hidden).ToArray(), expected, 1e-3));
            }
        }

        output.WriteLine($"{prompts.Length} prompts passed, from GGUF and from the widened folder");
    }

    /// <summary>The same weights in one file and in shards with an index.</summary>
    [SkippableFact]
    public void Shards_are_one_model()
    {
        var folder = Directory.GetDirectories(GoldenData.RequireFolder("models")).Where(IsLlama).Order().First();
        var shards = Directory.CreateTempSubdirectory("shards").FullName;
        var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var names = file.Tensors.Select(t => t.Name).ToArray();
        string Shard(int i) => $"model-{i % 2 + 1:D5}-of-00002.safetensors";
        for (var s = 0; s < 2; s++)
        {
            SafetensorsWriter.Write(Path.Combine(shards, Shard(s)), names.Where((_, i) => i % 2 == s).Select(n => new SafetensorsTensor(n, file.Find(n)!.Shape, file.ReadFloats(n))));
        }

        File.WriteAllText(Path.Combine(shards, "model.safetensors.index.json"), JsonSerializer.Serialize(new { weight_map = names.Select((n, i) => (n, i)).ToDictionary(p => p.n, p => Shard(p.i)) }));
        var config = LlamaConfig.From(ModelConfig.Open(Path.Combine(folder, "config.json")));
        using (var one = new Llama(config, new SafetensorsSource(folder)))
        using (var many = new Llama(config, new SafetensorsSource(shards)))
        {
            Assert.Equal(2, many.Source.Files.Count);
            Assert.All(one.Weights, w => Assert.Equal(w.Value.ToArray(), many.Weights[w.Key].ToArray()));
        }

        Directory.Delete(shards, recursive: true);
    }

    [SkippableFact]
    public void Greedy_runs_match_transformers()
    {
        var runs = 0;
        foreach (var folder in Directory.GetDirectories(GoldenData.RequireFolder("models")).Where(IsLlama))
        {
            using var model = new Llama(LlamaConfig.From(ModelConfig.Open(Path.Combine(folder, "config.json"))), new SafetensorsSource(folder));
            using var engine = new Engine(2);
            var greedy = GoldenJson.Read(folder, "golden.json").GetProperty("greedy");
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

    internal static bool IsLlama(string folder) =>
        File.Exists(Path.Combine(folder, "golden.json"))
        && GoldenJson.Read(folder, "golden.json") is var golden
        && golden.TryGetProperty("model_type", out var type) && type.GetString() == "llama"
        && golden.GetProperty("task").GetString() == "causal-lm";

    private static IEnumerable<string> Check(string folder, string configPath)
    {
        var config = LlamaConfig.From(ModelConfig.Open(configPath));
        var golden = new GoldenTensors(Path.Combine(folder, "golden.safetensors"));
        var summary = GoldenJson.Read(folder, "golden.json");
        using var source = new TrainableSource(new SafetensorsSource(folder));
        using var model = new Llama(config, source);
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

        var logProbabilities = TokenLogProbabilities.Apply(tape, hidden, model.Head, [.. targets.Select(t => t.Source)], [.. targets.Select(t => t.Token)]);
        var values = logProbabilities.ToArray();
        var loss = -Enumerable.Range(0, targets.Length).Average(i => values[3 * i]);
        var expected = summary.GetProperty("loss_float64").GetDouble();
        if (Math.Abs(loss - expected) > 1e-5 * expected)
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
            var wanted = golden.Floats($"grad.{name}");
            var tolerance = 1e-4 * Math.Max(wanted.Max(Math.Abs), 1e-3 * largest);
            found.AddRange(Compare($"grad.{name}", weight.Gradient!.ToArray(), wanted, tolerance));
        }

        return found;
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
