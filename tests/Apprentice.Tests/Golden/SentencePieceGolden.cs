using System.Text.Json;
using Apprentice.Data.Tokenizers;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>SentencePiece .model files against SentencePiece itself: every spm_cases.jsonl of golden/tokenizers, and T5's real file.</summary>
[Trait("Category", "Golden")]
public sealed class SentencePieceGolden(ITestOutputHelper output)
{
    [SkippableFact]
    public void ModelFilesGiveTheReferenceCases()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var cases = Directory.GetDirectories(root).Order()
            .Select(d => (Cases: Path.Combine(d, "spm_cases.jsonl"), Model: Directory.GetFiles(d, "*.model").FirstOrDefault()))
            .Append((Cases: Path.Combine(root, "real-t5-spm", "cases.jsonl"), Model: GoldenData.Shared is { } shared ? Path.Combine(shared, "tokenizers", "sentencepiece-t5", "spiece.model") : null))
            .Where(c => File.Exists(c.Cases) && File.Exists(c.Model)).ToList();
        Skip.If(cases.Count == 0, "no spm_cases.jsonl");
        foreach (var (file, model) in cases)
        {
            var tokenizer = Tokenizer.FromSentencePiece(File.ReadAllBytes(model!), model!);
            var rows = GoldenRows.Read(file).ToList();
            var failures = rows.SelectMany(row => Compare(tokenizer, row).Where(c => c.Right != c.Found)
                .Select(c => $"case {row.GetProperty("id")} {c.Field} of {row.GetProperty("text").GetRawText()}\n  right {c.Right}\n  found {c.Found}")).ToList();
            output.WriteLine($"{file}: {rows.Count} cases, {failures.Count} differences");
            Assert.True(failures.Count == 0, $"{file}: {failures.Count} differences\n{string.Join('\n', failures.Take(8))}");
        }
    }

    private static IEnumerable<(string Field, string Right, string Found)> Compare(Tokenizer tokenizer, JsonElement row)
    {
        var text = row.GetProperty("text").GetString()!;
        var ids = GoldenRows.Ints(row, "ids");
        var encoding = tokenizer.Encode(text, addSpecialTokens: false, encodeSpecialAsText: true);
        var tokens = tokenizer.Tokens(encoding);
        yield return ("ids", string.Join(' ', ids), string.Join(' ', encoding.Ids));
        yield return ("pieces", string.Join(' ', row.GetProperty("pieces").EnumerateArray().Select(t => t.GetString())), string.Join(' ', tokens));
        yield return ("offsets", string.Join(' ', GoldenRows.Ints(row, "offsets")), string.Join(' ', ByteOffsets(text, encoding, tokens)));
        yield return ("decoded", row.GetProperty("decoded").GetString()!, tokenizer.Decode(ids));
        var streaming = new StreamingDecoder(tokenizer);
        yield return ("decoded as a stream", row.GetProperty("decoded").GetString()!, string.Concat(ids.Select(streaming.Push)) + streaming.Flush());
    }

    /// <summary>
    /// In bytes of UTF-8. SentencePiece gives a character's range to the last of its byte tokens and an empty one to those before;
    /// Apprentice gives it to each, since a weight of the loss hangs on it.
    /// </summary>
    private static IEnumerable<int> ByteOffsets(string text, Apprentice.Data.Tokenizers.Encoding encoding, string[] tokens)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            var (start, end) = encoding.Offsets[i];
            var notLast = ByteTokens.Value(tokens[i]) >= 0x80 && i + 1 < tokens.Length && ByteTokens.Value(tokens[i + 1]) is >= 0x80 and < 0xC0;
            yield return System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, start));
            yield return System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, notLast ? start : end));
        }
    }
}
