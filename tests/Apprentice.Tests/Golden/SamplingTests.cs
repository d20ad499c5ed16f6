using System.Runtime.InteropServices;
using System.Text.Json;
using Apprentice.Models.Generation;
using Apprentice.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Logits filters and drawing against transformers' logits processors.</summary>
public class SamplingTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void Filters()
    {
        var folder = GoldenData.RequireFolder("training/sampling");
        var tensors = new Tensors(Path.Combine(folder, "filters.safetensors"));
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "filters.json")));
        var passed = 0;
        var skipped = new List<string>();
        foreach (var test in manifest.RootElement.GetProperty("cases").EnumerateObject())
        {
            if (test.Name == "inverse_cdf")
            {
                CheckDrawing(tensors);
                passed++;
            }
            else if (Filter(test.Value.GetProperty("settings")) is { } filter)
            {
                CheckFilter(test.Name, test.Value, tensors, filter);
                passed++;
            }
            else
            {
                skipped.Add(test.Name);
            }
        }

        output.WriteLine($"{passed} cases passed, {skipped.Count} skipped because no such filter exists yet: {string.Join(", ", skipped)}");
        Assert.True(passed > 0);
    }

    private delegate void RowFilter(Span<float> logits, ReadOnlySpan<int> context);

    // The filter that the settings speak of, or null where one of them is not known.
    private static RowFilter? Filter(JsonElement settings)
    {
        RowFilter? filter = null;
        var atLeast = settings.TryGetProperty("min_tokens_to_keep", out var n) ? n.GetInt32() : 1;
        foreach (var setting in settings.EnumerateObject().Where(s => s.Name is not ("logits" or "min_tokens_to_keep")))
        {
            var value = setting.Value.ValueKind == JsonValueKind.Number ? setting.Value.GetDouble() : double.NaN;
            filter = setting.Name switch
            {
                "temperature" => (logits, _) => LogitsFilters.Temperature(logits, value),
                "top_k" => (logits, _) => LogitsFilters.TopK(logits, (int)value),
                "top_p" => (logits, _) => LogitsFilters.TopP(logits, value, atLeast),
                "min_p" => (logits, _) => LogitsFilters.MinP(logits, value),
                "penalty" => (logits, context) => LogitsFilters.RepetitionPenalty(logits, context, value),
                _ => null,
            };
            if (filter is null)
            {
                return null;
            }
        }

        return filter;
    }

    private static void CheckFilter(string name, JsonElement test, Tensors tensors, RowFilter filter)
    {
        var source = test.GetProperty("settings").TryGetProperty("logits", out var other) ? other.GetString()! : "logits";
        var (rows, vocabulary) = tensors.Matrix(source);
        var logits = tensors.Floats(source);
        var expected = tensors.Floats(name);
        var ids = tensors.Ints("ids");
        var width = tensors.Matrix("ids").Columns;
        for (var row = 0; row < rows; row++)
        {
            filter(logits.AsSpan(row * vocabulary, vocabulary), ids.AsSpan(row * width, width));
        }

        for (var i = 0; i < logits.Length; i++)
        {
            Assert.True(
                logits[i] == expected[i] || Math.Abs(logits[i] - expected[i]) <= Tolerance,
                $"{name} row {i / vocabulary} token {i % vocabulary}: {logits[i]}, expected {expected[i]}");
        }

        var kept = test.GetProperty("kept_per_row").EnumerateArray().Select(k => k.GetInt32());
        Assert.Equal(kept, logits.Chunk(vocabulary).Select(row => row.Count(float.IsFinite)));
    }

    private static void CheckDrawing(Tensors tensors)
    {
        var (rows, vocabulary) = tensors.Matrix("logits");
        var logits = tensors.Floats("logits");
        var uniforms = tensors.Floats("inverse_cdf_uniforms");
        var draws = uniforms.Length / rows;
        Assert.Equal(
            tensors.Ints("inverse_cdf_tokens"),
            uniforms.Select((u, i) => Sampler.Draw(logits.AsSpan(i / draws * vocabulary, vocabulary), u)));
    }

    private sealed class Tensors(string path)
    {
        private readonly SafetensorsFile file = SafetensorsFile.Open(path);
        private readonly byte[] bytes = File.ReadAllBytes(path);

        public (int Rows, int Columns) Matrix(string name) => ((int)file.Find(name)!.Shape[0], (int)file.Find(name)!.Shape[1]);

        public float[] Floats(string name) => file.ReadFloats(name);

        public int[] Ints(string name)
        {
            var tensor = file.Find(name)!;
            return MemoryMarshal.Cast<byte, int>(bytes.AsSpan((int)tensor.Offset, (int)tensor.ByteLength)).ToArray();
        }
    }
}
