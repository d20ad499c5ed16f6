using Apprentice.Data.Metrics;
using Apprentice.Evaluation;

namespace Apprentice.Tests.Evaluation;

/// <summary>Comparisons whose answers were right or wrong as a test wants them.</summary>
internal static class SampleComparison
{
    public static readonly Metric[] Metrics =
    [
        new("valid_json", "it is JSON", true, (_, _) => 1),
        new("all_correct", "it is right", true, (answer, expected) => answer == expected ? 1 : 0),
    ];

    /// <summary>A string for each contender, the fine-tuned one last: '1' is a right answer, '0' a wrong one.</summary>
    public static Comparison Of(params string[] results)
    {
        var contenders = results.Select((r, i) => Contend(i == results.Length - 1 ? "fine-tuned" : $"rival {i}", r)).ToArray();
        return new Comparison(Metrics, contenders[..^1], contenders[^1]);
    }

    private static Contender Contend(string name, string results) => Contender.Of(
        name, "it answers", [.. results.Select((r, i) => Scored($"question {i}", $"answer {i}", r == '1' ? $"answer {i}" : "no"))], Metrics);

    public static ScoredAnswer Scored(string prompt, string expected, string answer) =>
        new(prompt, expected, answer, Metrics.ToDictionary(m => m.Name, m => m.Score!(answer, expected)));
}
