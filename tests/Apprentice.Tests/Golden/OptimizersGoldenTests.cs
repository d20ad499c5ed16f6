using System.Text.Json;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>training/optimizers: the value of each tensor after each step, for AdamW, SGD and Muon, and the clipping scales.</summary>
[Trait("Category", "Golden")]
public sealed class OptimizersGoldenTests(ITestOutputHelper output)
{
    private const double Tolerance = 5e-6;

    [SkippableFact]
    public void OptimizersFollowTheReference()
    {
        var (description, tensors) = Load();
        using var engine = new Engine(2);
        var (passed, skipped, failures) = (0, new List<string>(), new List<string>());
        foreach (var optimizer in description.GetProperty("optimizers").EnumerateObject())
        {
            var settings = optimizer.Value.GetProperty("settings");
            var madeWith = optimizer.Value.GetProperty("made_with").GetString()!;
            Action<Weight, Tensor[], int>? update =
                madeWith.EndsWith(".AdamW", StringComparison.Ordinal) ? (w, s, t) => AdamW(engine, settings, w, s, t)
                : madeWith.EndsWith(".SGD", StringComparison.Ordinal) ? (w, s, t) => Sgd(engine, settings, w, s, t)
                : settings.TryGetProperty("steps", out _) && settings.TryGetProperty("mu", out _) ? (w, s, _) => Muon(engine, settings, w, s)
                : null;
            if (update is null)
            {
                skipped.Add(optimizer.Name);
                continue;
            }

            var wrong = description.GetProperty("shapes").EnumerateObject().Where(t => tensors.Has($"{optimizer.Name}/{t.Name}")).Select(t => Difference(optimizer.Name, t.Name, tensors, update)).OfType<string>().ToList();
            passed += wrong.Count == 0 ? 1 : 0;
            failures.AddRange(wrong);
        }

        output.WriteLine($"{passed} cases passed, {skipped.Count} skipped because the optimizer is not built ({string.Join(", ", skipped)})");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void ClippingScalesAreTheReferences()
    {
        var (description, tensors) = Load();
        using var engine = new Engine(2);
        var names = description.GetProperty("shapes").EnumerateObject().Select(s => s.Name).ToArray();
        foreach (var clip in description.EnumerateObject().Where(p => p.Name.StartsWith("clip_by_global_norm_", StringComparison.Ordinal)))
        {
            var maximum = double.Parse(clip.Name["clip_by_global_norm_".Length..], System.Globalization.CultureInfo.InvariantCulture);
            var step = 0;
            foreach (var expected in clip.Value.EnumerateArray())
            {
                var weights = names.Select(n => Trained(n, tensors)).ToArray();
                Array.ForEach(weights, w => w.Gradient!.SetValues(Step(tensors.Floats($"gradients/{w.Name}"), step, w)));
                var norm = Math.Sqrt(GradientNorm.Squared(engine, weights));
                var scale = GradientNorm.ClipScale(norm, maximum);
                Assert.Equal(expected.GetProperty("norm").GetDouble(), norm, 1e-6 * norm);
                Assert.Equal(expected.GetProperty("scale").GetDouble(), scale, 1e-7);
                GradientNorm.Scale(engine, weights, scale);
                Assert.Equal(norm * scale, Math.Sqrt(GradientNorm.Squared(engine, weights)), 1e-6 * norm);
                step++;
            }

            output.WriteLine($"{step} cases passed, 0 skipped");
        }
    }

    private static (JsonElement Description, GoldenTensors Tensors) Load()
    {
        var folder = GoldenData.RequireFolder("training/optimizers");
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "optimizers.json")));
        return (description.RootElement.Clone(), new GoldenTensors(Path.Combine(folder, "optimizers.safetensors")));
    }

    private static void AdamW(Engine engine, JsonElement settings, Weight weight, Tensor[] state, int step)
    {
        var betas = settings.TryGetProperty("betas", out var given) ? given.EnumerateArray().Select(b => b.GetDouble()).ToArray() : [0.9, 0.999];
        ParameterUpdate.AdamW(
            engine, weight, state[0], state[1],
            new AdamWStep(Number(settings, "lr"), betas[0], betas[1], Number(settings, "eps", 1e-8), Number(settings, "weight_decay", 0.01), step),
            maximum: Flag(settings, "amsgrad") ? state[2] : null);
    }

    private static void Sgd(Engine engine, JsonElement settings, Weight weight, Tensor[] state, int step) => ParameterUpdate.Sgd(
        engine, weight, state[0],
        new SgdStep(Number(settings, "lr"), Number(settings, "momentum", 0), Number(settings, "dampening", 0), Number(settings, "weight_decay", 0), Flag(settings, "nesterov"), step));

    private static void Muon(Engine engine, JsonElement settings, Weight weight, Tensor[] state)
    {
        var scratch = Tensor.Persistent(1, (int)Orthogonalization.ScratchFloats(weight));
        Orthogonalization.Muon(
            engine, weight, state[0], scratch,
            new MuonStep(Number(settings, "lr"), Number(settings, "mu"), Number(settings, "wd"), Flag(settings, "nesterov"), Flag(settings, "match"), (int)Number(settings, "steps")));
    }

    private static string? Difference(string optimizer, string tensor, GoldenTensors tensors, Action<Weight, Tensor[], int> update)
    {
        var weight = Trained(tensor, tensors);
        var state = Enumerable.Range(0, 3).Select(_ => Tensor.Persistent(weight.Rows, weight.Columns)).ToArray();
        var gradients = tensors.Floats($"gradients/{tensor}");
        var expected = tensors.Floats($"{optimizer}/{tensor}");
        for (var step = 0; step < gradients.Length / weight.Count; step++)
        {
            weight.Gradient!.SetValues(Step(gradients, step, weight));
            update(weight, state, step + 1);
            var values = weight.ToArray();
            for (var i = 0; i < values.Length; i++)
            {
                var want = expected[step * values.Length + i];
                if (!(Math.Abs(values[i] - want) <= Tolerance))
                {
                    return $"{optimizer}/{tensor} after step {step}: [{i}] is {values[i]:R} instead of {want:R}";
                }
            }
        }

        return null;
    }

    private static Weight Trained(string name, GoldenTensors tensors) =>
        Weight.FromValues(name, trainable: true, tensors.Floats($"initial/{name}"), tensors.Shape($"initial/{name}"));

    private static ReadOnlySpan<float> Step(float[] all, int step, Weight weight) => all.AsSpan((int)(step * weight.Count), (int)weight.Count);

    private static double Number(JsonElement settings, string key, double? missing = null) =>
        settings.TryGetProperty(key, out var value) ? value.GetDouble() : missing ?? throw new KeyNotFoundException(key);

    private static bool Flag(JsonElement settings, string key) => settings.TryGetProperty(key, out var value) && value.GetBoolean();
}
