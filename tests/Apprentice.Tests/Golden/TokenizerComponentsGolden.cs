using System.Text.Json;
using Apprentice.Data.Tokenizers;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Single normalizers, pre-tokenizers and decoders against the reference.</summary>
[Trait("Category", "Golden")]
public sealed class TokenizerComponentsGolden(ITestOutputHelper output)
{
    [SkippableFact]
    public void ComponentsGiveTheReferenceOutput()
    {
        var failures = new List<string>();
        var passed = 0;
        foreach (var row in GoldenRows.Read(GoldenData.RequireFile("tokenizers", "components.jsonl")))
        {
            var config = row.GetProperty("config");
            var (right, found) = Compare(row.GetProperty("kind").GetString()!, new JsonField(config, "", "components.jsonl"), row);
            passed += right == found ? 1 : 0;
            if (right != found)
            {
                failures.Add($"{config.GetRawText()} of {row}\n  right {right}\n  found {found}");
            }
        }

        output.WriteLine($"{passed} cases passed, {failures.Count} failed");
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(8)));
        Assert.True(passed > 0);
    }

    private static (string Right, string Found) Compare(string kind, JsonField config, JsonElement row)
    {
        if (kind == "decoder")
        {
            var run = new DecodingRun(DecoderComponents.Read(config));
            var decoded = string.Concat(row.GetProperty("tokens").EnumerateArray().Select(t => run.Push(t.GetString()!))) + run.Flush();
            return (row.GetProperty("output").GetString()!, decoded);
        }

        var text = row.GetProperty("text").GetString()!;
        var whole = new NormalizedText(text).Whole;
        if (kind == "normalizer")
        {
            return (row.GetProperty("output").GetString()!, TokenizerComponents.Normalizer(config).Apply(whole).ToString());
        }

        var pieces = PreTokenizer.Run(TokenizerComponents.PreTokenizers(config), whole);
        var offsets = new Apprentice.Data.Tokenizers.Encoding([], [.. pieces.Select(p => p.OriginalRange)]).CodePointOffsets(text);
        return (Describe(row.GetProperty("pieces").EnumerateArray().Select(p => p.GetString()!), GoldenRows.Ints(row, "offsets")),
            Describe(pieces.Select(p => p.ToString()), offsets.SelectMany(o => new[] { o.Start, o.End })));
    }

    private static string Describe(IEnumerable<string> pieces, IEnumerable<int> offsets) => $"[{string.Join("][", pieces)}] {string.Join(' ', offsets)}";
}
