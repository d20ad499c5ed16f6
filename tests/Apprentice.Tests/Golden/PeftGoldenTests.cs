using System.Text.Json;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tests.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

[Trait("Category", "Golden")]
public class PeftGoldenTests(ITestOutputHelper output)
{
    /// <summary>
    /// Every adapter that PEFT saved is read, or refused by the name of what is not supported; what was read is written
    /// again with the same bytes of weights and the same settings.
    /// </summary>
    [SkippableTheory]
    [InlineData("models/lora")]
    [InlineData("training/lora_sft")]
    public void AdaptersOfPeftAreReadAndWrittenUnchanged(string set)
    {
        var root = GoldenData.RequireFolder(set);
        var (passed, skipped) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(root, PeftConfigFile.Name, SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var folder = Path.GetDirectoryName(path)!;
            PeftAdapter adapter;
            try
            {
                adapter = PeftAdapter.Open(folder);
            }
            catch (InputException e) when (File.Exists(Path.Combine(folder, PeftAdapter.WeightsName)))
            {
                output.WriteLine($"skipped {Path.GetRelativePath(root, folder)}: {e.Message}");
                skipped++;
                continue;
            }

            AssertWrittenUnchanged(adapter, folder);
            passed++;
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because their kinds are not supported (each refused by name)");
        Assert.True(passed > 0);
    }

    private static void AssertWrittenUnchanged(PeftAdapter adapter, string folder)
    {
        using var scratch = new ScratchFolder();
        PeftAdapter.Write(
            scratch.Path,
            adapter.Config,
            [.. adapter.Modules.Select(m => new PeftModuleWeights(
                m.Name, m.InFeatures, m.OutFeatures, From(adapter, m.A), From(adapter, m.B), m.Magnitude is null ? null : From(adapter, m.Magnitude), m.IsEmbedding))],
            [.. adapter.Saved.Select(s => new SafetensorsTensor(s.Name, s.Tensor.Shape, From(adapter, s.Tensor)))]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, PeftAdapter.WeightsName)), File.ReadAllBytes(scratch.File(PeftAdapter.WeightsName)));

        using var theirs = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, PeftConfigFile.Name)));
        using var ours = JsonDocument.Parse(File.ReadAllBytes(scratch.File(PeftConfigFile.Name)));
        foreach (var field in ours.RootElement.EnumerateObject())
        {
            // How A and B were first filled is past and not kept; the order of targets has no meaning.
            if (field.Name != "init_lora_weights")
            {
                var (a, b) = (Comparable(theirs.RootElement.GetProperty(field.Name)), Comparable(field.Value));
                Assert.True(a == b, $"{folder}: {field.Name} is {b}, was {a}");
            }
        }
    }

    private static string Comparable(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble().ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        JsonValueKind.Array => string.Join(",", value.EnumerateArray().Select(Comparable).Order(StringComparer.Ordinal)),
        JsonValueKind.Object => string.Join(",", value.EnumerateObject().Select(m => $"{m.Name}:{Comparable(m.Value)}")),
        _ => value.GetRawText(),
    };

    private static FillFloats From(PeftAdapter adapter, SafetensorsTensorInfo tensor)
    {
        var values = adapter.File.ReadFloats(tensor.Name);
        return (start, destination) => values.AsSpan((int)start, destination.Length).CopyTo(destination);
    }
}
