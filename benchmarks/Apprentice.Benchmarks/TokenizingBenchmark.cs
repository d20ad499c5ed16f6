using System.Diagnostics;
using Apprentice.Data.Tokenizers;

namespace Apprentice.Benchmarks;

/// <summary>Megabytes of text a second with one thread: as one text, line by line, and back from tokens to text.</summary>
internal static class TokenizingBenchmark
{
    public static void Run(string tokenizerFile, string textFile, Options options)
    {
        var tokenizer = Tokenizer.FromJson(tokenizerFile);
        var text = File.ReadAllText(textFile);
        var lines = text.Split('\n');
        var megabytes = new FileInfo(textFile).Length / 1e6;
        var rounds = options.Integer("rounds", 7);
        int[] ids = [];
        string decoded = "";
        Measure("whole", () => ids = tokenizer.Encode(text, addSpecialTokens: false).Ids);
        Measure("lines", () => Array.ForEach(lines, line => tokenizer.Encode(line, addSpecialTokens: false)));
        Measure("decode", () => decoded = tokenizer.Decode(ids));
        Figures.Print("tokens", ids.Length);
        Figures.Print("same_text", decoded == text ? 1 : 0);

        void Measure(string name, Action work)
        {
            work();
            work(); // warm
            Figures.Print(name, Figures.Median(Enumerable.Range(0, rounds).Select(_ =>
            {
                var watch = Stopwatch.StartNew();
                work();
                return megabytes / watch.Elapsed.TotalSeconds;
            })));
        }
    }
}
