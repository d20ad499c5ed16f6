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

    /// <summary>
    /// An adapter that holds a copy of every weight but one, which it has a pair for, trains those copies as full training
    /// would: so no weight of any architecture is used past the adapter.
    /// </summary>
    [SkippableFact]
    public void Whatever_an_adapter_replaces_has_the_gradient_of_full_training()
    {
        var passed = 0;
        var found = new List<string>();
        foreach (var folder in Directory.GetDirectories(GoldenData.RequireFolder("models")).Where(IsCausal).Order(StringComparer.Ordinal))
        {
            try
            {
                using var model = ModelLoader.Open(new ModelReference(folder));
                found.AddRange(CheckReplaced(model, folder).Select(problem => $"{Path.GetFileName(folder)}: {problem}"));
                passed++;
            }
            catch (InputException e) when (e.Code == "unsupported_architecture")
            {
                output.WriteLine($"skipped {Path.GetFileName(folder)}: {e.Message}");
            }
        }

        output.WriteLine($"{passed} models passed");
        Assert.Empty(found);
        Assert.NotEqual(0, passed);
    }

    private static bool IsCausal(string folder) =>
        File.Exists(Path.Combine(folder, "golden.json")) && GoldenJson.Read(folder, "golden.json").TryGetProperty("task", out var task) && task.GetString() == "causal-lm";

    private static IEnumerable<string> CheckReplaced(LanguageModel model, string folder)
    {
        var golden = new GoldenTensors(Path.Combine(folder, "golden.safetensors"));
        var adapted = model.LinearLayers[0].Name;
        string[] modules = [.. model.Weights.Keys.Append("lm_head.weight").Select(name => name[..name.LastIndexOf('.')]).Where(module => module != adapted && !model.IsTurned($"{module}.weight")).Distinct()];
        var adapter = LoraAdapter.Create(model, new PeftConfig { Rank = 2, Alpha = 2, TargetModules = [adapted], ModulesToSave = modules }, seed: 1);
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        var (ids, _, segments, targets) = ArchitectureGoldenTests.Batch(golden);
        Backward(tape, model, adapter, ids, segments, targets);
        var largest = GoldenJson.Read(folder, "golden.json").GetProperty("largest_abs_grad").GetDouble();
        foreach (var (name, weight) in adapter.Saved.Where(s => model.Weights.ContainsKey(s.Name)))
        {
            var wanted = golden.Floats($"grad.{name}");
            var actual = weight.Gradient!.ToArray();
            if (model.Weights[name] == model.Head && weight != adapter.Head)
            {
                actual = [.. actual.Zip(adapter.Head!.Gradient!.ToArray(), (lookup, head) => lookup + head)]; // tied, until the adapter holds both
            }

            var tolerance = 1e-4 * Math.Max(wanted.Max(Math.Abs), 1e-3 * largest);
            foreach (var problem in ArchitectureGoldenTests.Compare($"grad.{name}", actual, wanted, tolerance))
            {
                yield return problem;
            }
        }
    }

    /// <summary>Mean loss over the targets, with its gradients.</summary>
    private static double Backward(Tape tape, LanguageModel model, LoraAdapter adapter, int[] ids, Segments segments, (int Source, int Token)[] targets)
    {
        var hidden = model.Forward(tape, new ForwardInput(ids, segments) { Adapter = adapter });
        var logProbabilities = model.LogProbabilities(tape, hidden, [.. targets.Select(t => t.Source)], [.. targets.Select(t => t.Token)], adapter);
        var values = logProbabilities.ToArray();
        var gradient = new float[values.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            gradient[3 * i] = -1f / targets.Length;
        }

        tape.Backward(logProbabilities, gradient);
        return -Enumerable.Range(0, targets.Length).Average(i => values[3 * i]);
    }

    private static IEnumerable<string> Check(string folder)
    {
        var summary = GoldenJson.Read(folder, "golden.json");
        var golden = new GoldenTensors(Path.Combine(folder, "golden.safetensors"));
        using var model = ModelLoader.Open(new ModelReference(Path.Combine(folder, "..", "..", summary.GetProperty("base").GetString()!)));
        using var engine = new Engine(2);
        var adapter = LoraAdapter.Load(model, folder, trainable: true);
        var (ids, rows, segments, targets) = ArchitectureGoldenTests.Batch(golden);
        var wanted = ArchitectureGoldenTests.Gather(golden, "logits", rows);
        var logits = Logits(engine, model, adapter, ids, segments);
        var found = ArchitectureGoldenTests.Compare("logits", logits, wanted, 1e-4).ToList();

        using var tape = new Tape(engine);
        var (loss, expected) = (Backward(tape, model, adapter, ids, segments, targets), summary.GetProperty("loss").GetDouble());
        if (Math.Abs(loss - expected) > 1e-5 * expected)
        {
            found.Add($"loss {loss}, expected {expected}");
        }

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
            foreach (var problem in ArchitectureGoldenTests.Compare($"grad.{tensor.Name}", trained[tensor.Name].Gradient!.ToArray(), wanted, tolerance))
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
            if (model.IsTurned(name[Prefix.Length..]))
            {
                merged = Weight.FromValues(name, false, merged, shape[1], shape[0]).Turned().ToArray(); // Conv1D lies as [in, out] in the file
            }

            foreach (var problem in ArchitectureGoldenTests.Compare(name, merged, wanted, 1e-5))
            {
                yield return problem;
            }
        }
    }

    internal static float[] Merged(LanguageModel model, LoraAdapter adapter, string name)
    {
        var weight = model.Weights[name];
        return [.. Enumerable.Range(0, weight.Rows).SelectMany(r =>
        {
            var row = new float[weight.Columns];
            adapter.CopyMergedRow(name, weight, r, row);
            return row;
        })];
    }

    private static float[] Logits(Engine engine, LanguageModel model, LoraAdapter adapter, int[] ids, Segments segments)
    {
        using var tape = new Tape(engine, recording: false);
        return model.Logits(tape, model.Forward(tape, new ForwardInput(ids, segments) { Adapter = adapter }), adapter).ToArray();
    }
}
