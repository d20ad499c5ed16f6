using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Apprentice.Evaluation;
using Apprentice.Evaluation.Reports;
using Apprentice.Tests.Models.Weights;
using Apprentice.Training.Runs;

namespace Apprentice.Tests.Evaluation.Reports;

public sealed class ReportTests : IDisposable
{
    private const string Hostile = "</pre><script>alert(1)</script><img src=x onerror='alert(2)'>\"&amp;]]>\0\u001b[31m\ud800\uffff";
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_page_is_one_well_formed_file_that_asks_for_nothing_else()
    {
        var (html, page) = Write(Sample());
        Assert.Equal("en", (string?)page.Root!.Attribute("lang"));
        Assert.Equal(2, page.Descendants("svg").Count());
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName is "script" or "link" or "img" or "iframe" or "a" or "base" or "form");
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href" || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotMatch(@"https?:|url\(|@import", html);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains("width=device-width", html, StringComparison.Ordinal);

        // The verdict comes first.
        Assert.Equal("h1", page.Descendants().First(e => Regex.IsMatch(e.Name.LocalName, "^h[1-6]$")).Name.LocalName);
        Assert.Equal("Fine-tuning was worth it.", page.Descendants("h1").Single().Value);
    }

    [Fact]
    public void Hostile_text_is_shown_and_never_obeyed()
    {
        var sample = new Sample(Hostile, Hostile, [.. Enumerable.Repeat(new SampleAnswer(Hostile, SampleComparison.Scored("", "a", "a").Scores), 3)]);
        var report = Sample() with
        {
            Title = Hostile, Samples = [sample], SampledHow = Hostile, Example = new Fact(Hostile, Hostile), Facts = [new(Hostile, Hostile)], Next = [new(Hostile, Hostile)],
        };
        var (html, page) = Write(report);
        Assert.Empty(page.Descendants("script"));
        Assert.Empty(page.Descendants("img"));
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.All(page.Descendants("pre").Take(4), pre => Assert.StartsWith("</pre><script>alert(1)</script><img src=x onerror='alert(2)'>\"&amp;]]>", pre.Value, StringComparison.Ordinal));
    }

    [Fact]
    public void Bars_and_whiskers_stand_where_the_figures_are()
    {
        var (_, page) = Write(Sample());
        var chart = page.Descendants("svg").First();
        var track = Width(chart.Descendants("rect").First(r => (string?)r.Attribute("class") == "track"));
        var bars = chart.Descendants("rect").Where(r => ((string?)r.Attribute("class"))!.StartsWith("bar", StringComparison.Ordinal)).Select(Width).ToArray();
        Assert.Equal(6, bars.Length);
        Assert.Equal(0, bars[3]);
        Assert.Equal(0.3, bars[4] / track, 2);
        Assert.Equal(0.95, bars[5] / track, 2);
        Assert.Equal(18, chart.Descendants("path").Count(p => (string?)p.Attribute("class") == "whisker")); // a line and two ends each

        static double Width(XElement rect) => (double)rect.Attribute("width")!;
    }

    [Fact]
    public void A_run_without_validation_or_of_one_step_has_a_page_too()
    {
        Assert.DoesNotContain("<circle", Write(Sample() with { Curve = [.. Curve().Select(e => e with { ValidLoss = null })] }).Html, StringComparison.Ordinal);
        Assert.Contains("too short for a curve", Write(Sample() with { Curve = [.. Curve().Take(1)] }).Html, StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_read_the_same_figures()
    {
        Write(Sample());
        using var json = JsonDocument.Parse(File.ReadAllText(_scratch.File("report.json")));
        Assert.Equal("worth_it", json.RootElement.GetProperty("verdict").GetProperty("outcome").GetString());
        Assert.Equal(100, json.RootElement.GetProperty("examples").GetInt32());
        var tuned = json.RootElement.GetProperty("contenders")[2];
        Assert.Equal("fine-tuned", tuned.GetProperty("name").GetString());
        Assert.Equal(0.95, tuned.GetProperty("metrics").GetProperty("all_correct").GetProperty("value").GetDouble());
        Assert.Equal(20, json.RootElement.GetProperty("loss").GetArrayLength());
    }

    private (string Html, XDocument Page) Write(Report report)
    {
        var html = File.ReadAllText(report.Write(_scratch.Path));
        return (html, XDocument.Parse(html));
    }

    private static Report Sample()
    {
        var comparison = SampleComparison.Of(new string('0', 100), new string('1', 30) + new string('0', 70), new string('1', 95) + new string('0', 5));
        var sample = new Sample("question", "answer", [.. comparison.Contenders.Select(c => new SampleAnswer(c.Answers[0].Answer!, c.Answers[0].Scores))]);
        return new Report("A test", Verdict.Of(comparison), comparison, Curve(), [sample], "the first one", new Fact("read", "learned"), [new("Steps", "20")], [new("Go on:", "apprentice --help")]);
    }

    private static RunEvent[] Curve() =>
    [
        .. Enumerable.Range(1, 20).Select(step => new RunEvent { Type = RunEventType.Metrics, Step = step, TrainLoss = 3.0 / step, ValidLoss = step % 5 == 0 ? 3.2 / step : null }),
    ];
}
