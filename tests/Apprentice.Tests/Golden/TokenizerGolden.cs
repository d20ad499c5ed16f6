using System.Diagnostics;
using System.Text.Json;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Tokenizers against the reference: every folder of golden/tokenizers whose pipeline is byte-level BPE.</summary>
[Trait("Category", "Golden")]
public sealed class TokenizerGolden(ITestOutputHelper output)
{
    [SkippableFact]
    public void TrainedTokenizersGiveTheReferenceCases()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var folders = Directory.GetDirectories(root).Where(d => File.Exists(Path.Combine(d, "tokenizer.json")) && File.Exists(Path.Combine(d, "cases.jsonl"))).Order().ToList();
        var byteLevel = folders.Where(d => IsByteLevel(File.ReadAllBytes(Path.Combine(d, "tokenizer.json")))).ToList();
        foreach (var folder in byteLevel)
        {
            Check(Tokenizer.FromJson(Path.Combine(folder, "tokenizer.json")), folder);
        }

        var pairs = byteLevel.Select(d => Path.Combine(d, "pairs.jsonl")).Where(File.Exists).Sum(f => GoldenRows.Read(f).Count());
        output.WriteLine($"{folders.Count - byteLevel.Count} folders skipped because their model is not byte-level BPE; {pairs} pair and truncation cases skipped because encoding pairs is not there");
        Assert.NotEmpty(byteLevel);
    }

    [SkippableFact]
    public void RealTokenizersGiveTheReferenceCases()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var files = GoldenData.RequireShared("tokenizers");
        var skipped = 0;
        foreach (var folder in Directory.GetDirectories(root, "real-*").Order())
        {
            var name = Path.GetFileName(folder)["real-".Length..].Replace("-gguf", "", StringComparison.Ordinal);
            var file = Path.Combine(files, name, "tokenizer.json.xz");
            var json = File.Exists(file) ? Unpack(file) : null;
            if (json is null || !IsByteLevel(json))
            {
                skipped++;
                continue;
            }

            Check(Tokenizer.FromJson(json, file), folder);
            var gguf = Path.Combine(files, name, "vocab-only.gguf.xz");
            if (File.Exists(gguf))
            {
                Check(FromGguf(gguf), folder);
            }
        }

        output.WriteLine($"{skipped} folders skipped because their model is not byte-level BPE");
    }

    private void Check(Tokenizer tokenizer, string folder)
    {
        var failures = new List<string>();
        var count = 0;
        foreach (var row in GoldenRows.Read(Path.Combine(folder, "cases.jsonl")))
        {
            count++;
            foreach (var (field, right, found) in Compare(tokenizer, row).Where(c => c.Right != c.Found))
            {
                failures.Add($"case {row.GetProperty("id")} {field} of {row.GetProperty("text").GetRawText()}\n  right {right}\n  found {found}");
            }
        }

        output.WriteLine($"{Path.GetFileName(folder)}: {count} cases, {failures.Count} differences");
        Assert.True(failures.Count == 0, $"{Path.GetFileName(folder)}: {failures.Count} differences\n{string.Join('\n', failures.Take(8))}");
        Assert.True(count > 0, $"no cases in {folder}");
    }

    private static IEnumerable<(string Field, string Right, string Found)> Compare(Tokenizer tokenizer, JsonElement row)
    {
        var text = row.GetProperty("text").GetString()!;
        var ids = GoldenRows.Ints(row, "ids");
        var withoutSpecial = GoldenRows.Ints(row, "ids_no_special", "ids");
        var encoding = tokenizer.Encode(text);
        yield return ("ids", Join(ids), Join(encoding.Ids));
        yield return ("ids_no_special", Join(withoutSpecial), Join(tokenizer.Encode(text, addSpecialTokens: false).Ids));
        yield return ("ids_encode_special", Join(GoldenRows.Ints(row, "ids_encode_special", "ids_no_special", "ids")), Join(tokenizer.Encode(text, addSpecialTokens: false, encodeSpecialAsText: true).Ids));
        yield return ("tokens", string.Join(' ', row.GetProperty("tokens").EnumerateArray().Select(t => t.GetString())), string.Join(' ', tokenizer.Tokens(encoding)));
        yield return ("offsets", Join(GoldenRows.Ints(row, "offsets")), Join(encoding.CodePointOffsets(text).SelectMany(o => new[] { o.Start, o.End })));
        var decoded = row.GetProperty("decoded").GetString()!;
        var decodedSkip = row.TryGetProperty("decoded_skip", out var skip) ? skip.GetString()! : decoded;
        yield return ("decoded", decoded, tokenizer.Decode(ids));
        yield return ("decoded_skip", decodedSkip, tokenizer.Decode(ids, skipSpecialTokens: true));
        var streaming = new StreamingDecoder(tokenizer);
        yield return ("decoded as a stream", decoded, string.Concat(ids.Select(streaming.Push)) + streaming.Flush());
    }

    private static string Join(IEnumerable<int> values) => string.Join(' ', values);

    private static bool IsByteLevel(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return root.GetProperty("model").GetProperty("type").GetString() == "BPE"
            && root.GetProperty("pre_tokenizer").GetRawText().Contains("\"ByteLevel\"", StringComparison.Ordinal);
    }

    private static Tokenizer FromGguf(string packed)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Unpack(packed));
            return ModelText.FromGguf(GgufFile.Open(file)).Tokenizer;
        }
        finally
        {
            File.Delete(file);
        }
    }

    internal static byte[] Unpack(string file)
    {
        using var xz = Process.Start(new ProcessStartInfo("xz", ["-dkc", file]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        using var bytes = new MemoryStream();
        xz.StandardOutput.BaseStream.CopyTo(bytes);
        xz.WaitForExit();
        Assert.Equal(0, xz.ExitCode);
        return bytes.ToArray();
    }
}
