using System.Text.Json;
using Apprentice.Data.Batching;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>From a row of data to tokens and what is learned of them, through the real tokenizer and chat template.</summary>
[Trait("Category", "Golden")]
public class EncodedExamplesTests(ITestOutputHelper output)
{
    private const string Model = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

    private static ExampleEncoder Encoder() => ModelText.FromGguf(GgufFile.Open(GoldenData.RequireShared(Model))).ExampleEncoder();

    /// <summary>The category and the end of turn and line break after it are learned, everything before is the prompt.</summary>
    [SkippableFact]
    public void Banking77_GivesTheTokensAndTheMaskOfTheReference()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(GoldenData.RequireShared("models/smollm2-135m-instruct/golden.json")));
        var encoder = Encoder();
        var count = 0;
        foreach (var row in golden.RootElement.GetProperty("lora").GetProperty("examples").EnumerateArray())
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(new { prompt = "Classify this banking request into an intent.\n" + row.GetProperty("text").GetString(), completion = row.GetProperty("category").GetString() });
            var tokens = encoder.Encode(DatasetReader.Read("row", line).Examples.Single());
            Assert.Equal(GoldenRows.Ints(row, "ids"), tokens.Ids);
            Assert.Equal(Enumerable.Range(0, tokens.Ids.Length).Select(i => i < row.GetProperty("prompt_tokens").GetInt32() ? 0f : 1f), tokens.Weights);
            count++;
        }

        output.WriteLine($"{count} cases passed");
        Assert.True(count > 0);
    }

    /// <summary>The figures that the peer reports of the same set: 61.4 tokens an example, 8 of them supervised.</summary>
    [SkippableFact]
    public void Banking77_HasTheLengthsOfThePeer()
    {
        var dataset = DatasetReader.Read(GoldenData.RequireShared("peers/banking77-10shot/train.jsonl"));
        var encoded = Encoder().EncodeAll(dataset.Examples, 512);
        output.WriteLine($"{encoded.Examples.Count} examples, {encoded.Examples.Average(example => example.Ids.Length):F1} tokens, {encoded.Examples.Average(example => example.Supervised):F1} supervised, longest {encoded.Longest}");
        Assert.Equal(61.4, encoded.Examples.Average(example => example.Ids.Length), 0.05);
        Assert.InRange(encoded.Examples.Average(example => example.Supervised), 7.5, 8.5);
    }

    /// <summary>What is learned, decoded, is what the template says the assistant wrote, for every model whose tokenizer and template are there.</summary>
    [SkippableFact]
    public void LearnedTokens_SpellWhatTheAssistantWrote()
    {
        const string Line = """
            {"messages":[{"role":"user","content":"Two lines?"},{"role":"assistant","content":"One\n\n  two: 日本 👩‍👩‍👧 .\n"},{"role":"user","content":"No\n"},{"role":"assistant","content":"Not this","weight":0},{"role":"user","content":"and?"},{"role":"assistant","content":"Yes"}]}
            """;
        var templates = GoldenData.RequireFolder("chat_templates");
        var count = 0;
        foreach (var file in Directory.GetFiles(GoldenData.RequireShared("tokenizers"), "tokenizer.json.xz", SearchOption.AllDirectories))
        {
            var template = Path.Combine(templates, Path.GetFileName(Path.GetDirectoryName(file))!, "template.jinja");
            var json = TokenizerGolden.Unpack(file);
            if (!File.Exists(template) || !System.Text.Encoding.UTF8.GetString(json).Contains("\"ByteLevel\"", StringComparison.Ordinal))
            {
                continue;
            }

            var tokenizer = Tokenizer.FromJson(json, file);
            var options = new ChatTemplateOptions { SpecialTokens = new Dictionary<string, string?> { ["bos_token"] = "<|begin_of_text|>" } };
            var chatTemplate = ChatTemplate.Parse(File.ReadAllText(template), template);
            var encoder = new ExampleEncoder((text, special) => tokenizer.Encode(text, special), example => chatTemplate.Render(example.Messages, options), tokenizer.EosId);

            var example = DatasetReader.Read("row", System.Text.Encoding.UTF8.GetBytes(Line)).Examples.Single();
            var chat = chatTemplate.Render(example.Messages, options);
            var wanted = string.Concat(chat.Assistant.Where(span => example.Weights[span.Message] == 1).Select(span => chat.Text[span.Start..span.End]));
            var tokens = encoder.Encode(example);
            var learned = tokenizer.Decode([.. tokens.Ids.Where((_, i) => tokens.Weights[i] == 1)]);
            Assert.Equal((template, wanted), (template, learned));
            Assert.Equal(chat.Text, tokenizer.Decode(tokens.Ids));
            output.WriteLine($"{Path.GetFileName(Path.GetDirectoryName(file))}: {learned.ReplaceLineEndings("\\n")}");
            count++;
        }

        output.WriteLine($"{count} cases passed; tokenizers without a template of their name skipped");
        Assert.True(count > 0);
    }
}
