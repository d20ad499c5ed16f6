using System.Diagnostics;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;

namespace Apprentice.Benchmarks;

/// <summary>
/// Tokens a second of one model: reading a prompt, generating one answer, and generating many answers at once against one
/// after the other. Medians of several runs; one line a figure, its name and the number, so that a script can read it.
/// </summary>
internal static class InferenceBenchmark
{
    private const int PromptTokens = 400;
    private const int Generated = 100;
    private const int AtOnce = 32;
    private const int ShortPromptTokens = 32;
    private const int ShortGenerated = 64;
    private const int OneByOne = 4;

    /// <param name="together">Whether to measure 32 prompts at once, which takes longest, too.</param>
    public static void Run(string path, int runs, int? threads, bool together)
    {
        using var model = LoadedModel.Open(path);
        using var engine = new Engine(threads);
        var prompt = Prompt(model, "The capital of France is ", PromptTokens);
        var shortPrompts = Enumerable.Range(0, AtOnce).Select(i => Prompt(model, $"{i}. The capital of France is ", ShortPromptTokens)).ToArray();
        Answer(model, engine, [prompt], 4); // compiles everything
        if (Environment.GetEnvironmentVariable("ATONCE") == "1")
        {
            for (var i = 0; i < runs; i++)
            {
                var (f, t) = Answer(model, engine, shortPrompts, ShortGenerated);
                Console.WriteLine($"first {f:F3} rest {(t - f) / 63 * 1000:F2} ms a step, {AtOnce * ShortGenerated / t:F1}/s");
            }

            return;
        }

        var single = Enumerable.Range(0, runs).Select(_ => Answer(model, engine, [prompt], Generated + 1)).ToArray();
        Figures.Print("threads", engine.Threads);
        Figures.Print("prompt_tokens_per_second", PromptTokens / Figures.Median(single.Select(s => s.First)));
        Figures.Print("generation_tokens_per_second", Generated / Figures.Median(single.Select(s => s.Total - s.First)));
        if (!together)
        {
            return;
        }

        // In turns, since the machine's speed changes within a minute.
        var both = Enumerable.Range(0, runs)
            .Select(_ => (
                AtOnce: AtOnce * ShortGenerated / Answer(model, engine, shortPrompts, ShortGenerated).Total,
                Apart: OneByOne * ShortGenerated / shortPrompts.Take(OneByOne).Sum(p => Answer(model, engine, [p], ShortGenerated).Total)))
            .ToArray();
        var oneByOne = Figures.Median(both.Select(b => b.Apart));
        var atOnce = Figures.Median(both.Select(b => b.AtOnce));
        Figures.Print("one_by_one_tokens_per_second", oneByOne);
        Figures.Print("at_once_tokens_per_second", atOnce);
        Figures.Print("at_once_over_one_by_one", Figures.Median(both.Select(b => b.AtOnce / b.Apart)));
    }

    /// <summary>Seconds until the first token was there, and until all were.</summary>
    private static (double First, double Total) Answer(LoadedModel model, Engine engine, int[][] prompts, int tokens)
    {
        var options = new SamplingOptions { Temperature = 0, MaxTokens = tokens };
        var requests = prompts.Select(p => new GenerationRequest(p, options, new HashSet<int>())).ToArray();
        var first = 0.0;
        var watch = Stopwatch.StartNew();
        new Generator(model.Model, engine, slots: AtOnce).Run(
            requests,
            (_, _) =>
            {
                first = first == 0 ? watch.Elapsed.TotalSeconds : first;
                return true;
            },
            (_, _) => { });
        return (first, watch.Elapsed.TotalSeconds);
    }

    private static int[] Prompt(LoadedModel model, string text, int tokens) =>
        model.RawPromptIds(string.Concat(Enumerable.Repeat(text, tokens)))[..tokens];
}
