using System.Text.Json;
using Apprentice.Models.Generation;
using Apprentice.Tensors;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>training/sampling/decoding.json: whole greedy answers of the generator.</summary>
[Trait("Category", "Golden")]
public sealed class DecodingTests(ITestOutputHelper output)
{
    private static readonly string[] Known = ["repetition_penalty"];

    [SkippableFact]
    public void Greedy_answers_are_the_references()
    {
        var folder = GoldenData.RequireFolder("training/sampling");
        var golden = GoldenJson.Read(GoldenData.RequireFile("training/sampling", "decoding.json"));
        using var engine = new Engine(2);
        using var model = TrainingGoldenTests.Open(Path.Combine(folder, Path.GetFileName(golden.GetProperty("model").GetString()!)), trainable: false);
        var cases = golden.GetProperty("cases").EnumerateArray().ToArray();
        var run = cases.Where(c => c.GetProperty("settings").EnumerateObject().All(s => Known.Contains(s.Name))).ToArray();
        foreach (var test in run)
        {
            var options = new SamplingOptions
            {
                MaxTokens = test.GetProperty("max_new_tokens").GetInt32(),
                Temperature = 0,
                RepetitionPenalty = test.GetProperty("settings").TryGetProperty("repetition_penalty", out var penalty) ? penalty.GetDouble() : 1,
            };
            var end = test.GetProperty("eos_id").GetInt32();
            var answer = new List<int>();
            FinishReason? reason = null;
            new Generator(model, engine).Run(
                [new GenerationRequest(test.GetProperty("prompt").Ints(), options, new HashSet<int> { end })],
                (_, token) =>
                {
                    answer.Add(token);
                    return true;
                },
                (_, why) => reason = why);
            var expected = test.GetProperty("completions")[0].Ints();
            var ended = Array.IndexOf(expected, end); // the reference's answer holds the end token
            Assert.Equal(ended < 0 ? expected : expected[..ended], answer);
            Assert.Equal(ended < 0 ? FinishReason.Length : FinishReason.Stop, reason);
        }

        output.WriteLine($"{run.Length} cases passed, {cases.Length - run.Length} skipped because beam search and n-gram blocking are not built");
        Assert.NotEmpty(run);
    }
}
