using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Apprentice.Benchmarks;

/// <summary>
/// A running server under load, in phases that <c>benchmarks/serving</c> puts together. One line a figure, its name and the
/// number. It knows of the server what any client does, and of its process the memory.
/// </summary>
internal sealed class ServingBenchmark(string url, Options options) : IDisposable
{
    private const int StarvedAfter = 10;
    private readonly ServingClient _client = new(url, options.Text("model", "base"));
    private readonly string[] _prompts = File.ReadAllLines(options.Text("prompts", "benchmarks/serving-prompts.txt"));
    private readonly int _tokens = options.Integer("tokens", 128);

    public static async Task Run(string phase, string url, Options options)
    {
        using var benchmark = new ServingBenchmark(url, options);
        await (phase switch
        {
            "single" => benchmark.Single(),
            "load" => benchmark.Load(options.Integer("streams", 64), options.Integer("seconds", 120)),
            "short" => benchmark.Short(options.Integer("requests", 2000)),
            "greedy" => benchmark.Greedy(options.Integer("answers", 50), options.Integer("others", 32)),
            "parallel" => benchmark.Parallel(options.Integer("streams", 8)),
            _ => throw new ArgumentException($"'{phase}' is no phase: single, load, short, greedy, parallel"),
        });
    }

    public void Dispose() => _client.Dispose();

    /// <summary>One stream alone; the median of three, after one that is not counted.</summary>
    private async Task Single()
    {
        var answers = new List<ServedAnswer>();
        for (var i = 0; i < 4; i++)
        {
            answers.Add(await _client.Chat(Prompt(i), _tokens, temperature: 1));
        }

        Figures.Print("single_tokens_per_second", Figures.Median(answers.Skip(1).Select(Rate)));
        Figures.Print("single_seconds_to_first", Figures.Median(answers.Skip(1).Select(a => a.SecondsToFirst)));

        static double Rate(ServedAnswer a) => (a.Tokens - 1) / Stopwatch.GetElapsedTime(a.Pieces[0], a.Pieces[^1]).TotalSeconds;
    }

    /// <summary>So many streams all the time, each asking anew once it has its answer.</summary>
    private async Task Load(int streams, int seconds)
    {
        var answers = new ConcurrentBag<ServedAnswer>();
        var pieces = 0L;
        var errors = new ConcurrentBag<string>();
        PrintMemory("start");
        using var end = new CancellationTokenSource();
        var watch = Stopwatch.StartNew();
        var latest = new long[streams];
        var starved = new bool[streams];
        var work = Enumerable.Range(0, streams).Select(Stream).ToArray();
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            await Task.Delay(200);
            for (var i = 0; i < streams; i++)
            {
                starved[i] |= Stopwatch.GetElapsedTime(Interlocked.Read(ref latest[i])).TotalSeconds > StarvedAfter;
            }
        }

        var counted = Interlocked.Read(ref pieces);
        var elapsed = watch.Elapsed.TotalSeconds;
        PrintMemory("end");
        await end.CancelAsync();
        await Task.WhenAll(work);

        // A piece may hold several tokens: how many, the finished answers tell.
        var whole = answers.ToArray();
        var tokensAPiece = whole.Sum(a => (double)a.Tokens) / Math.Max(1, whole.Sum(a => a.Pieces.Count));
        Figures.Print("load_answers", whole.Length);
        Figures.Print("load_tokens_per_second", counted * (whole.Length > 0 ? tokensAPiece : 1) / elapsed);
        Figures.Print("load_errors", errors.Count);
        Figures.Print("load_starved", starved.Count(s => s));
        var first = whole.Select(a => a.SecondsToFirst).Where(double.IsFinite).Order().ToArray();
        Figures.Print("load_first_p50", Quantile(first, 0.5));
        Figures.Print("load_first_p95", Quantile(first, 0.95));
        foreach (var error in errors.Distinct(StringComparer.Ordinal).Take(5))
        {
            Console.Error.WriteLine(error);
        }

        async Task Stream(int i)
        {
            Interlocked.Exchange(ref latest[i], Stopwatch.GetTimestamp());
            for (var n = 0; !end.IsCancellationRequested; n++)
            {
                try
                {
                    answers.Add(await _client.Chat(Prompt(i + (n * streams)), _tokens, temperature: 1, Came, end.Token));
                }
                catch (OperationCanceledException) when (end.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception e) when (e is HttpRequestException or IOException)
                {
                    errors.Add(e.Message);
                    await Task.Delay(100);
                }
            }

            void Came()
            {
                Interlocked.Increment(ref pieces);
                Interlocked.Exchange(ref latest[i], Stopwatch.GetTimestamp());
            }
        }
    }

    /// <summary>Short answers, 32 at a time, and the memory after each quarter.</summary>
    private async Task Short(int requests)
    {
        PrintMemory("short_0");
        for (var quarter = 1; quarter <= 4; quarter++)
        {
            var first = (quarter - 1) * requests / 4;
            await System.Threading.Tasks.Parallel.ForEachAsync(
                Enumerable.Range(first, (quarter * requests / 4) - first),
                new ParallelOptions { MaxDegreeOfParallelism = 32 },
                async (i, cancellation) => await _client.Chat(Prompt(i), 8, temperature: 1, cancellation: cancellation));
            PrintMemory($"short_{quarter * requests / 4}");
        }
    }

    /// <summary>Greedy answers alone, and the same while others are served.</summary>
    private async Task Greedy(int count, int others)
    {
        var alone = await Answers();
        using var end = new CancellationTokenSource();
        var load = Enumerable.Range(0, others).Select(async i =>
        {
            try
            {
                for (var n = 0; ; n++)
                {
                    await _client.Chat(Prompt(i + (n * others)), _tokens, temperature: 1, cancellation: end.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // enough
            }
        }).ToArray();
        await Task.Delay(1000);
        var loaded = await Answers();
        await end.CancelAsync();
        await Task.WhenAll(load);
        Figures.Print("greedy_answers", count);
        Figures.Print("greedy_same", alone.Zip(loaded).Count(pair => pair.First == pair.Second));

        async Task<string[]> Answers()
        {
            var texts = new string[count];
            for (var i = 0; i < count; i++)
            {
                texts[i] = (await _client.Chat(Prompt(1000 + i), 32, temperature: 0)).Text;
            }

            return texts;
        }
    }

    /// <summary>Texts gone on with at once, all by the same number of tokens: what llama.cpp does in serving.mjs.</summary>
    private async Task Parallel(int streams)
    {
        int[] ends = [.. options.Text("ends", "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(e => int.Parse(e, CultureInfo.InvariantCulture))];
        var watch = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, streams).Select(i => _client.Complete(_prompts[i % _prompts.Length], _tokens, ends)));
        Figures.Print("parallel_tokens_per_second", answers.Sum(a => a.Tokens) / watch.Elapsed.TotalSeconds);
        Figures.Print("parallel_tokens", answers.Sum(a => a.Tokens));
    }

    // No two alike, so that no answer is had by remembering a whole prompt.
    private string Prompt(int i) => $"{_prompts[i % _prompts.Length]} ({i})";

    private static double Quantile(double[] sorted, double q) => sorted.Length == 0 ? double.NaN : sorted[(int)Math.Min(sorted.Length - 1, q * sorted.Length)];

    /// <summary>In MB: what is resident, mapped weights included, and what of it is the process's own.</summary>
    private void PrintMemory(string when)
    {
        if (options.Text("process", "") is { Length: > 0 } process)
        {
            var status = File.ReadAllLines($"/proc/{process}/status");
            Figures.Print($"resident_{when}", Field("VmRSS:"));
            Figures.Print($"private_{when}", Field("RssAnon:"));

            double Field(string name) => Math.Round(double.Parse(status.Single(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024);
        }
    }
}
