using System.Diagnostics;
using System.Text.Json;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Tokenizers against the reference: every folder of golden/tokenizers, and the real tokenizers beside it.</summary>
[Trait("Category", "Golden")]
public sealed class TokenizerGolden(ITestOutputHelper output)
{
    [SkippableFact]
    public void TrainedTokenizersGiveTheReferenceCases()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var folders = Directory.GetDirectories(root).Where(d => File.Exists(Path.Combine(d, "tokenizer.json")) && File.Exists(Path.Combine(d, "cases.jsonl"))).Order().ToList();
        foreach (var folder in folders)
        {
            Check(Tokenizer.FromJson(Path.Combine(folder, "tokenizer.json")), folder);
        }

        Assert.NotEmpty(folders);
    }

    [SkippableFact]
    public void PairsAndTruncationGiveTheReferenceCases()
    {
        var files = Directory.GetDirectories(GoldenData.RequireFolder("tokenizers")).Order().Select(d => Path.Combine(d, "pairs.jsonl")).Where(File.Exists).ToList();
        Skip.If(files.Count == 0, "no pairs.jsonl");
        foreach (var file in files)
        {
            var folder = Path.GetDirectoryName(file)!;
            var tokenizer = Tokenizer.FromJson(Path.Combine(folder, "tokenizer.json"));
            Report(folder, "pairs", GoldenRows.Read(file).Select(row => (row, ComparePair(tokenizer, row))));
        }
    }

    [SkippableFact]
    public void RealTokenizersGiveTheReferenceCases()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var files = GoldenData.RequireShared("tokenizers");
        foreach (var folder in Directory.GetDirectories(root, "real-*").Order())
        {
            var name = Path.GetFileName(folder)["real-".Length..].Replace("-gguf", "", StringComparison.Ordinal);
            var file = Path.Combine(files, name, "tokenizer.json.xz");
            if (!File.Exists(file))
            {
                continue; // a .model file: see SentencePieceGolden
            }

            Check(Tokenizer.FromJson(Unpack(file), file), folder);
            var gguf = Path.Combine(files, name, "vocab-only.gguf.xz");
            if (File.Exists(gguf))
            {
                Check(FromGguf(gguf), folder);
            }
        }
    }

    private void Check(Tokenizer tokenizer, string folder) =>
        Report(folder, "cases", GoldenRows.Read(Path.Combine(folder, "cases.jsonl")).Select(row => (row, Compare(tokenizer, row))));

    private void Report(string folder, string what, IEnumerable<(JsonElement Row, IEnumerable<(string Field, string Right, string Found)> Fields)> cases)
    {
        var failures = new List<string>();
        var count = 0;
        foreach (var (row, fields) in cases)
        {
            count++;
            failures.AddRange(fields.Where(f => f.Right != f.Found)
                .Select(f => $"{what} {row.GetProperty("id")} {f.Field} of {row.GetProperty("text").GetRawText()}\n  right {f.Right}\n  found {f.Found}"));
        }

        output.WriteLine($"{Path.GetFileName(folder)}: {count} {what}, {failures.Count} differences");
        Assert.True(failures.Count == 0, $"{Path.GetFileName(folder)}: {failures.Count} differences\n{string.Join('\n', failures.Take(8))}");
        Assert.True(count > 0, $"no {what} in {folder}");
    }

    private static IEnumerable<(string Field, string Right, string Found)> ComparePair(Tokenizer tokenizer, JsonElement row)
    {
        var pair = row.GetProperty("pair").GetString();
        var truncation = !row.TryGetProperty("max_length", out var length) ? null : new Truncation(
            length.GetInt32(), row.GetProperty("stride").GetInt32(),
            Enum.Parse<TruncationStrategy>(row.GetProperty("strategy").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            row.GetProperty("direction").GetString() == "left");
        if (row.TryGetProperty("error", out _))
        {
            Assert.Throws<ArgumentException>(() => tokenizer.EncodePair(row.GetProperty("text").GetString()!, pair, truncation));
            yield break;
        }

        var encoding = tokenizer.EncodePair(row.GetProperty("text").GetString()!, pair, truncation);
        yield return ("ids", Join(GoldenRows.Ints(row, "ids")), Join(encoding.Ids));
        yield return ("type_ids", Join(GoldenRows.Ints(row, "type_ids")), Join(encoding.TypeIds));
        yield return ("special_tokens_mask", Join(GoldenRows.Ints(row, "special_tokens_mask")), Join(encoding.SpecialTokensMask));
        yield return ("overflowing",
            string.Join(" | ", row.GetProperty("overflowing").EnumerateArray().Select(w => Join(w.EnumerateArray().Select(i => i.GetInt32())))),
            string.Join(" | ", encoding.Overflowing.Select(w => Join(w.Ids))));
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
