using System.Text.Json;
using Apprentice.Data;
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
        var skipped = new SortedSet<string>(StringComparer.Ordinal);
        var (passed, skippedCases) = (0, 0);
        foreach (var row in GoldenRows.Read(GoldenData.RequireFile("tokenizers", "components.jsonl")))
        {
            var config = row.GetProperty("config");
            string right, found;
            try
            {
                (right, found) = Compare(row.GetProperty("kind").GetString()!, new JsonField(config, "", "components.jsonl"), row);
            }
            catch (InputException e) when (e.Code == "unsupported_tokenizer")
            {
                skipped.Add($"{row.GetProperty("kind")} {config.GetProperty("type")}");
                skippedCases++;
                continue;
            }

            passed += right == found ? 1 : 0;
            if (right != found)
            {
                failures.Add($"{config.GetRawText()} of {row}\n  right {right}\n  found {found}");
            }
        }

        output.WriteLine($"{passed} cases passed, {failures.Count} failed, {skippedCases} skipped because no byte-level BPE uses them: {string.Join(", ", skipped)}");
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(8)));
        Assert.True(passed > 0);
    }

    private static (string Right, string Found) Compare(string kind, JsonField config, JsonElement row)
    {
        if (kind == "decoder")
        {
            TokenizerComponents.RequireByteLevelDecoder(config);
            var bytes = row.GetProperty("tokens").EnumerateArray().SelectMany(t => ByteAlphabet.Read(t.GetString()!)).ToArray();
            return (row.GetProperty("output").GetString()!, System.Text.Encoding.UTF8.GetString(bytes));
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
