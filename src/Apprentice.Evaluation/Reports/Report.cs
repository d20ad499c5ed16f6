using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Runs;

namespace Apprentice.Evaluation.Reports;

/// <summary>A name and what stands beside it.</summary>
public sealed record Fact(string Name, string Value);

/// <summary>A held-out example for people: what was asked, what was wanted, and what each contender said.</summary>
/// <param name="Answers">In the contenders' order.</param>
public sealed record Sample(string Prompt, string Expected, IReadOnlyList<SampleAnswer> Answers);

/// <param name="Scores">By the metric's name.</param>
public sealed record SampleAnswer(string Answer, IReadOnlyDictionary<string, double> Scores);

/// <summary>
/// What <c>report.html</c> and <c>report.json</c> say about a run. Texts may be anything, hostile ones included: they are
/// shown as text.
/// </summary>
/// <param name="Title">What was fine-tuned for what.</param>
/// <param name="Verdict">Comes first.</param>
/// <param name="Comparison">Who was measured by what.</param>
/// <param name="Curve">The run's events, for the loss over steps.</param>
/// <param name="Samples">A few answers side by side.</param>
/// <param name="SampledHow">How they were chosen, in a sentence: a choice that is not said is not to be trusted.</param>
/// <param name="Example">One training example, or null.</param>
/// <param name="Facts">Data, recipe, machine.</param>
/// <param name="Next">Commands to go on with, each with what it does.</param>
public sealed record Report(
    string Title,
    Verdict Verdict,
    Comparison Comparison,
    IReadOnlyList<RunEvent> Curve,
    IReadOnlyList<Sample> Samples,
    string SampledHow,
    Fact? Example,
    IReadOnlyList<Fact> Facts,
    IReadOnlyList<Fact> Next)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes <c>report.html</c> and <c>report.json</c> into a folder and gives the path of the first.</summary>
    public string Write(string folder)
    {
        var html = Path.Combine(folder, "report.html");
        AtomicFile.WriteText(Path.Combine(folder, "report.json"), ToJson() + "\n");
        AtomicFile.WriteText(html, ReportPage.Write(this));
        return html;
    }

    /// <summary>The same for programs.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Title,
            Verdict = new { Verdict.Outcome, WorthIt = Verdict.IsWorthIt, Verdict.Headline, Verdict.Text, Verdict.Gain },
            Examples = Comparison.Tuned.Answers.Count,
            PrimaryMetric = Comparison.Primary.Name,
            Metrics = Comparison.Metrics.ToDictionary(m => m.Name, m => m.Description),
            Contenders = Comparison.Contenders.Select(c => new { c.Name, c.Description, c.Metrics }),
            Loss = Curve.Where(e => e.TrainLoss is not null).Select(e => new { e.Step, e.TrainLoss, e.ValidLoss }),
            Samples,
            Facts = Facts.ToDictionary(f => f.Name, f => f.Value),
        },
        Json);
}
