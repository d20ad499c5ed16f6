using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>
/// What is written as GGUF metadata, and as tokenizer.json from that, encodes every case as the tokenizer that it was made of;
/// what these formats cannot say is refused with the reason.
/// </summary>
[Trait("Category", "Golden")]
public sealed class TokenizerConversionGolden(ITestOutputHelper output)
{
    [SkippableFact]
    public void ConvertedTokenizersGiveTheSameIds()
    {
        var root = GoldenData.RequireFolder("tokenizers");
        var real = GoldenData.Shared is { } shared ? Path.Combine(shared, "tokenizers") : "";
        var converted = 0;
        foreach (var folder in Directory.GetDirectories(root).Order())
        {
            var cases = Path.Combine(folder, "cases.jsonl");
            var json = Path.Combine(folder, "tokenizer.json");
            var packed = Path.Combine(real, Path.GetFileName(folder).Replace("real-", "", StringComparison.Ordinal), "tokenizer.json.xz");
            var tokenizers = new List<Tokenizer>();
            if (File.Exists(json) || File.Exists(packed))
            {
                tokenizers.Add(Tokenizer.FromJson(Plain(File.Exists(json) ? File.ReadAllBytes(json) : TokenizerGolden.Unpack(packed)), json));
            }

            tokenizers.AddRange(Directory.GetFiles(folder, "*.model").Select(m => Tokenizer.FromSentencePiece(File.ReadAllBytes(m), m)));
            foreach (var tokenizer in tokenizers)
            {
                converted += Check(tokenizer, folder, [.. GoldenRows.Read(cases).Select(r => r.GetProperty("text").GetString()!)]) ? 1 : 0;
            }
        }

        Assert.True(converted > 0, "nothing was converted");
    }

    /// <summary>Without the added tokens that take white space, ask for a whole word or are looked for in normalized text, which no GGUF can say.</summary>
    private static byte[] Plain(byte[] json)
    {
        var root = JsonNode.Parse(json)!;
        var added = root["added_tokens"]!.AsArray();
        foreach (var token in added.Where(t => new[] { "lstrip", "rstrip", "single_word", "normalized" }.Any(f => (bool)t![f]!)).ToList())
        {
            added.Remove(token);
        }

        return System.Text.Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private bool Check(Tokenizer tokenizer, string folder, List<string> texts)
    {
        GgufVocabulary vocabulary;
        try
        {
            vocabulary = tokenizer.ToGguf(folder);
        }
        catch (InputException e)
        {
            output.WriteLine($"{Path.GetFileName(folder)} refused: {e.Message}");
            Assert.True(e.Code == "not_exportable", e.Message);
            return false;
        }

        var gguf = Tokenizer.FromGguf(vocabulary, folder);
        using var stream = new MemoryStream();
        TokenizerJsonWriter.Write(vocabulary, stream, folder);
        var json = Tokenizer.FromJson(stream.ToArray(), folder);
        var differences = new List<string>();

        // Where runs of spaces are tokens, GGUF cannot tell a ▁ in the text from a space.
        var spaces = vocabulary.Model == "llama" && vocabulary.Tokens.Where((t, id) => vocabulary.TokenTypes[id] == GgufVocabulary.UserDefined).Any(t => t.Contains("  ", StringComparison.Ordinal));
        foreach (var text in texts.Where(t => !(spaces && t.Contains('▁'))))
        {
            var right = string.Join(' ', tokenizer.Encode(text).Ids);
            foreach (var (name, other) in new[] { ("gguf", gguf), ("json", json) })
            {
                var found = string.Join(' ', other.Encode(text).Ids);
                if (right != found)
                {
                    differences.Add($"{name}: {System.Text.Json.JsonSerializer.Serialize(text)}\n  right {right}\n  found {found}");
                }
            }
        }

        output.WriteLine($"{Path.GetFileName(folder)} as {vocabulary.Model}: {texts.Count} texts, {differences.Count} differences");
        Assert.True(differences.Count == 0, $"{folder}: {differences.Count} differences\n{string.Join('\n', differences.Take(8))}");
        return true;
    }
}
