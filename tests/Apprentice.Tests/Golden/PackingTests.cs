using System.Text.Json;
using Apprentice.Data.Batching;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

[Trait("Category", "Golden")]
public class PackingTests(ITestOutputHelper output)
{
    /// <summary>Every file of the folder whose packed row has one segment per example; a tree of segments is counted as skipped.</summary>
    [SkippableFact]
    public void Pack_GivesTheReferenceRow()
    {
        var folder = GoldenData.RequireFolder("training/packing");
        var (passed, skipped) = (0, 0);
        foreach (var file in Directory.GetFiles(folder, "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            if (!json.RootElement.TryGetProperty("packed", out var packed) || !packed.TryGetProperty("cu_seqlens", out var ends))
            {
                skipped++;
                continue;
            }

            var examples = json.RootElement.GetProperty("examples").EnumerateArray().Select(example =>
                new TokenizedExample(Ints(example.GetProperty("ids")), [.. Ints(example.GetProperty("labels")).Select(label => label == -100 ? 0f : 1f)])).ToArray();
            var batch = Batch.Pack(examples);

            Assert.Equal(Ints(packed.GetProperty("ids")), batch.Ids);
            Assert.Equal(Ints(packed.GetProperty("position_ids")), batch.Positions);
            Assert.Equal(Ints(packed.GetProperty("segment_ids")), batch.Segments.SelectMany((segment, i) => Enumerable.Repeat(i, segment.Length)));
            Assert.Equal(Ints(ends), batch.Segments.Select(segment => segment.Start + segment.Length).Prepend(0));
            var labels = Enumerable.Repeat(-100, batch.Ids.Length).ToArray();
            foreach (var target in batch.Targets)
            {
                labels[target.Source + 1] = target.Token;
            }

            Assert.Equal(Ints(packed.GetProperty("labels")), labels);
            Assert.Equal(json.RootElement.GetProperty("supervised_tokens").GetInt32(), batch.TotalWeight);
            passed++;
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because they are not block-diagonal");
        Assert.True(passed > 0);
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];
}
