using System.Text.Json;
using Apprentice.Data.Batching;
using Apprentice.Data.Datasets;
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
}
