using System.Text.Json;
using Apprentice.Models.Architectures;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>SmolLM2-135M-Instruct as Q4_1 GGUF against transformers and PEFT on the widened weights.</summary>
[Trait("Category", "Golden")]
[Trait("Category", "RealModel")]
public class RealModelGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Logits_and_greedy_text_match_transformers()
    {
        var (folder, golden) = Golden();
        using var engine = new Engine();
        using var model = Open(folder, golden);
        var prompts = golden.GetProperty("prompts").EnumerateArray().ToArray();
        var worst = 0.0;
        foreach (var prompt in prompts)
        {
            var ids = prompt.GetProperty("ids").Ints();
            using var tape = new Tape(engine, recording: false);
            var hidden = model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))));
            var sources = Enumerable.Range(0, ids.Length - 1).ToArray();
            var logits = model.Logits(tape, hidden).ToArray().AsSpan((ids.Length - 1) * model.Vocabulary).ToArray();
            var top = Enumerable.Range(0, model.Vocabulary).OrderByDescending(i => logits[i]).Take(10).ToArray();
            var expected = prompt.GetProperty("top10_logits").Doubles();
            Assert.Equal(prompt.GetProperty("top10_ids").Ints(), top);
            worst = Math.Max(worst, Enumerable.Range(0, 10).Max(i => Math.Abs(logits[top[i]] - expected[i])));

            var logProbabilities = TokenLogProbabilities.Apply(tape, hidden, model.Head, sources, ids[1..]).ToArray();
            Assert.Equal(prompt.GetProperty("prompt_logprob_sum").GetDouble(), sources.Sum(i => (double)logProbabilities[3 * i]), 1e-2);
        }

        output.WriteLine($"{prompts.Length} prompts, top-10 logits within {worst:E1}");
        Assert.True(worst <= 1e-2);

        var requests = prompts.Select(p => new GenerationRequest(
            p.GetProperty("ids").Ints(), new SamplingOptions { MaxTokens = Greedy(p).Length }, new HashSet<int>())).ToArray();
        var together = LlamaGoldenTests.Generate(model, engine, requests);
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(Greedy(prompts[i]), LlamaGoldenTests.Generate(model, engine, [requests[i]])[0]);
            Assert.Equal(Greedy(prompts[i]), together[i]);
        }
    }

    private static int[] Greedy(JsonElement prompt) =>
        prompt.EnumerateObject().Single(p => p.Name.Contains("greedy", StringComparison.Ordinal) && p.Value.ValueKind == JsonValueKind.Array).Value.Ints();

    private static (string Folder, JsonElement Golden) Golden()
    {
        var folder = GoldenData.RequireShared("models/smollm2-135m-instruct");
        return (folder, GoldenJson.Read(folder, "golden.json"));
    }

    private static Llama Open(string folder, JsonElement golden)
    {
        var file = GgufFile.Open(Path.Combine(folder, golden.GetProperty("model").GetString()!));
        var config = LlamaConfig.From(file);
        return new Llama(config, Llama.FromGguf(file, config));
    }
}
