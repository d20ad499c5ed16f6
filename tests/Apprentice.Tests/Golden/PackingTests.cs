using System.Text.Json;
using Apprentice.Data.Batching;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

[Trait("Category", "Golden")]
public class PackingTests(ITestOutputHelper output)
{
    /// <summary>Every file of the folder whose packed row has one segment per example; the others are of the next test.</summary>
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

    /// <summary>Every file of the folder with several completions of one prompt.</summary>
    [SkippableFact]
    public void Pack_GivesTheReferenceTree()
    {
        var folder = GoldenData.RequireFolder("training/packing");
        var (passed, skipped) = (0, 0);
        foreach (var file in Directory.GetFiles(folder, "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            if (!json.RootElement.TryGetProperty("completions", out var completions))
            {
                skipped++;
                continue;
            }

            var prompt = Ints(json.RootElement.GetProperty("prompt"));
            var batch = Batch.Pack(Examples(prompt, completions), sharePrefixes: true);

            var (packed, targets) = (json.RootElement.GetProperty("packed"), json.RootElement.GetProperty("targets"));
            Assert.Equal(Ints(packed.GetProperty("ids")), batch.Ids);
            Assert.Equal(Ints(packed.GetProperty("position_ids")), batch.Positions);
            Assert.Equal(Ints(packed.GetProperty("segment_ids")), batch.Segments.SelectMany((segment, i) => Enumerable.Repeat(i - 1, segment.Length)));
            Assert.Equal([-1, .. completions.EnumerateArray().Select(_ => 0)], batch.Segments.Select(segment => segment.Parent));
            Assert.Equal(Ints(targets.GetProperty("source_index")), batch.Targets.Select(target => target.Source));
            Assert.Equal(Ints(targets.GetProperty("token")), batch.Targets.Select(target => target.Token));
            Assert.Equal(Ints(targets.GetProperty("completion")), batch.Targets.Select(target => target.Example));
            passed++;
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because they share nothing");
        Assert.True(passed > 0);
    }

    /// <summary>The prompt followed by each of its completions, of which all tokens are learned.</summary>
    internal static TokenizedExample[] Examples(int[] prompt, JsonElement completions) => [.. completions.EnumerateArray().Select(Ints).Select(
        completion => new TokenizedExample([.. prompt, .. completion], [.. prompt.Select(_ => 0f), .. completion.Select(_ => 1f)]))];

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetInt32())];
}
