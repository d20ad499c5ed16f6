using System.Text.Json;
using Apprentice.Data.Batching;
using Apprentice.Data.ChatTemplates;
using Apprentice.Data.Datasets;
using Apprentice.Data.Tokenizers;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>From a row of data to tokens and what is learned of them, through the real tokenizer and chat template.</summary>
[Trait("Category", "Golden")]
public class EncodedExamplesTests(ITestOutputHelper output)
{
    private static ExampleEncoder Encoder()
    {
        var tokenizer = GoldenData.RequireShared("tokenizers/smollm2/tokenizer.json.xz");
        var template = Path.Combine(GoldenData.RequireFolder("chat_templates/smollm2"), "template.jinja");
        return ExampleEncoder.Create(
            Tokenizer.FromJson(TokenizerGolden.Unpack(tokenizer), tokenizer),
            ChatTemplate.Parse(File.ReadAllText(template), template),
            new ChatTemplateOptions { SpecialTokens = new Dictionary<string, string?> { ["bos_token"] = "<|im_start|>", ["eos_token"] = "<|im_end|>" } });
    }

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
}
