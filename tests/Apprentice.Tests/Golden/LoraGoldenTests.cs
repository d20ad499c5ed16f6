using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>
/// Adapters of PEFT on small models: logits, loss, the gradient of everything that is trained, merged weights; and the same
/// adapter written and read again. Bases of an architecture that is not known are skipped, by name.
/// </summary>
[Trait("Category", "Golden")]
public class LoraGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Adapters_give_the_logits_gradients_and_merged_weights_of_peft()
    {
        var passed = new List<string>();
        var found = new List<string>();
        foreach (var folder in Directory.GetDirectories(GoldenData.RequireFolder("models/lora")).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(folder);
            try
            {
                if (GoldenJson.Read(folder, "golden.json").GetProperty("notes").EnumerateArray().Any(n => n.GetString()!.Contains("NF4", StringComparison.Ordinal)))
                {
                    output.WriteLine($"skipped {name}: NF4 is not supported");
                    continue;
                }

                PeftConfigFile.Read(Path.Combine(folder, PeftConfigFile.Name)); // VeRA and IA3 are refused, whatever the base
                found.AddRange(Check(folder).Select(problem => $"{name}: {problem}"));
                passed.Add(name);
            }
            catch (InputException e) when (e.Code is "unsupported_architecture" or "unsupported_adapter")
            {
                output.WriteLine($"skipped {name}: {e.Message}");
            }
        }

        output.WriteLine($"{passed.Count} cases passed: {string.Join(", ", passed)}");
        Assert.Empty(found);
        Assert.NotEmpty(passed);
    }

    private static IEnumerable<string> Check(string folder)
    {
        var summary = GoldenJson.Read(folder, "golden.json");
        var golden = new GoldenTensors(Path.Combine(folder, "golden.safetensors"));
        using var model = ModelLoader.Open(new ModelReference(Path.Combine(folder, "..", "..", summary.GetProperty("base").GetString()!)));
        using var engine = new Engine(2);
        var adapter = LoraAdapter.Load(model, folder, trainable: true);
        var (ids, rows, segments, targets) = LlamaGoldenTests.Batch(golden);
        var wanted = LlamaGoldenTests.Gather(golden, "logits", rows);
        var logits = Logits(engine, model, adapter, ids, segments);
        var found = LlamaGoldenTests.Compare("logits", logits, wanted, 1e-4).ToList();

        using var tape = new Tape(engine);
        var hidden = model.Forward(tape, new ForwardInput(ids, segments) { Adapter = adapter });
        var logProbabilities = TokenLogProbabilities.Apply(tape, hidden, model.HeadOf(adapter), [.. targets.Select(t => t.Source)], [.. targets.Select(t => t.Token)]);
        var values = logProbabilities.ToArray();
        var (loss, expected) = (-Enumerable.Range(0, targets.Length).Average(i => values[3 * i]), summary.GetProperty("loss").GetDouble());
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
        found.AddRange(Gradients(folder, adapter, golden));
        found.AddRange(Merged(model, adapter, golden));

        using var scratch = new ScratchFolder();
        adapter.Save(scratch.Path, "base");
        Assert.Equal(logits, Logits(engine, model, LoraAdapter.Load(model, scratch.Path), ids, segments));
        return found;
    }

    /// <summary>Of every tensor that the adapter's file names, but those that PEFT stores untrained.</summary>
    private static IEnumerable<string> Gradients(string folder, LoraAdapter adapter, GoldenTensors golden)
    {
        var names = golden.Names.Where(n => n.StartsWith("grad.", StringComparison.Ordinal)).ToArray();
        var largest = names.Max(n => golden.Floats(n).Max(Math.Abs));
        var trained = Named(adapter);
        foreach (var tensor in SafetensorsFile.Open(Path.Combine(folder, PeftAdapter.WeightsName)).Tensors.Where(t => golden.Has($"grad.{t.Name}")))
        {
            var wanted = golden.Floats($"grad.{tensor.Name}");
            var tolerance = 1e-4 * Math.Max(wanted.Max(Math.Abs), 1e-3 * largest);
            foreach (var problem in LlamaGoldenTests.Compare($"grad.{tensor.Name}", trained[tensor.Name].Gradient!.ToArray(), wanted, tolerance))
            {
                yield return problem;
            }
        }

        Assert.Equal(names.Length, trained.Count);
    }

    /// <summary>What an adapter trains under the names of its file.</summary>
    internal static Dictionary<string, Weight> Named(LoraAdapter adapter)
    {
        var named = new Dictionary<string, Weight>();
        foreach (var module in adapter.Modules)
        {
            var pair = adapter.For(module)!;
            var (before, after) = pair.A.Name.Contains("embedding", StringComparison.Ordinal) ? ("lora_embedding", "") : ("lora", ".weight");
            named.Add($"base_model.model.{module}.{before}_A{after}", pair.A);
            named.Add($"base_model.model.{module}.{before}_B{after}", pair.B);
            if (pair.Magnitude is { } magnitude)
            {
                named.Add($"base_model.model.{module}.lora_magnitude_vector", magnitude.Vector);
            }
        }

        foreach (var (name, weight) in adapter.Saved)
        {
            var dot = name.LastIndexOf('.');
            named.Add($"base_model.model.{name[..dot]}{(adapter.For(name[..dot]) is null ? "" : ".base_layer")}{name[dot..]}", weight);
        }

        return named;
    }

    private static IEnumerable<string> Merged(LanguageModel model, LoraAdapter adapter, GoldenTensors golden)
    {
        const string Prefix = "merged.";
        foreach (var name in golden.Names.Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var wanted = golden.Floats(name);
            var merged = Merged(model, adapter, name[Prefix.Length..]);
            var shape = golden.Shape(name);
            if (shape.Length == 2 && adapter.Config.FanInFanOut && model.Weights[name[Prefix.Length..]].Shape[0] != shape[0])
            {
                merged = GgufAdapter.Transposed(merged, (int)shape[1], (int)shape[0]); // Conv1D lies as [in, out] in the file
            }

            foreach (var problem in LlamaGoldenTests.Compare(name, merged, wanted, 1e-5))
            {
                yield return problem;
            }
        }
    }

    internal static float[] Merged(LanguageModel model, LoraAdapter adapter, string name)
    {
        var weight = model.Weights[name];
        if (adapter.For(name[..name.LastIndexOf('.')]) is not { } pair || weight.Shape.Count == 1)
        {
            return (adapter.Replacement(weight) ?? weight).ToArray();
        }

        return [.. Enumerable.Range(0, weight.Rows).SelectMany(r =>
        {
            var row = new float[weight.Columns];
            weight.CopyRow(r, row);
            if (adapter.ForEmbedding(weight) is null)
            {
                pair.MergeRow(r, row);
            }
            else
            {
                pair.MergeEmbeddingRow(r, row);
            }

            return row;
        })];
    }

    private static float[] Logits(Engine engine, LanguageModel model, LoraAdapter adapter, int[] ids, Segments segments)
    {
        using var tape = new Tape(engine, recording: false);
        return model.Logits(tape, model.Forward(tape, new ForwardInput(ids, segments) { Adapter = adapter }), adapter).ToArray();
    }
}
