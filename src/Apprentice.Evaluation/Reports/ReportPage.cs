using System.Globalization;
using System.Text;

namespace Apprentice.Evaluation.Reports;

/// <summary>
/// <c>report.html</c>: one file that needs nothing else, no script and no network. The page forbids itself both, so that
/// a text that got through the escaping would still do nothing.
/// </summary>
internal static class ReportPage
{
    public static string Write(Report report)
    {
        var page = new StringBuilder();
        var title = Html.Text(report.Title);
        page.Append($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
            <title>{title}</title>
            <style>
            {ReportStyle.Css}</style>
            </head>
            <body>
            <header>
            <p class="kicker">{title}</p>
            <h1 class="{(report.Verdict.IsWorthIt ? "good" : "bad")}">{Html.Text(report.Verdict.Headline)}</h1>
            <p class="lead">{Html.Text(report.Verdict.Text)}</p>
            </header>
            <main>

            """);
        Comparison(page, report);
        Samples(page, report);
        Training(page, report);
        Next(page, report);
        return page.Append("</main>\n<footer>Made by apprentice. The same figures for programs: report.json.</footer>\n</body>\n</html>\n").ToString();
    }

    private static void Comparison(StringBuilder page, Report report)
    {
        var comparison = report.Comparison;
        var examples = comparison.Tuned.Answers.Count.ToString(CultureInfo.InvariantCulture);
        page.Append($"<section>\n<h2>How each did on {examples} examples that none had seen</h2>\n<div class=\"split\">\n<div>\n<ul class=\"legend\">\n");
        for (var c = 0; c < comparison.Contenders.Count; c++)
        {
            page.Append($"<li><span class=\"key {Colour(c)}\"></span><b>{Html.Text(comparison.Contenders[c].Name)}</b> {Html.Text(comparison.Contenders[c].Description)}</li>\n");
        }

        page.Append($"</ul>\n{ComparisonChart.Draw(comparison)}</div>\n<div>\n<div class=\"scroll\"><table>\n<tr><th></th>");
        foreach (var contender in comparison.Contenders)
        {
            page.Append($"<th>{Html.Text(contender.Name)}</th>");
        }

        page.Append("</tr>\n");
        foreach (var metric in comparison.Metrics)
        {
            page.Append($"<tr><th>{Html.Text(metric.Label)}</th>");
            foreach (var contender in comparison.Contenders)
            {
                var value = contender.Metrics[metric.Name];
                page.Append($"<td>{Html.Percent(value.Value)}<small>{Html.Percent(value.Low)} to {Html.Percent(value.High)}</small></td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n<p class=\"note\">Under each share stands its 95% interval; in the chart it is the thin line.</p>\n<dl>\n");
        foreach (var metric in comparison.Metrics)
        {
            page.Append($"<dt>{Html.Text(metric.Label)}</dt><dd>{Html.Text(metric.Description)}</dd>\n");
        }

        page.Append("</dl>\n</div>\n</div>\n</section>\n");
    }

    private static void Samples(StringBuilder page, Report report)
    {
        page.Append($"<section>\n<h2>Answers side by side</h2>\n<p class=\"note\">{Html.Text(report.SampledHow)}</p>\n");
        foreach (var sample in report.Samples)
        {
            page.Append($"<article>\n<p class=\"prompt\">{Html.Text(sample.Prompt)}</p>\n<div class=\"answers\">\n");
            for (var c = 0; c < sample.Answers.Count; c++)
            {
                var answer = sample.Answers[c];
                page.Append($"<div class=\"answer\"><h3><span class=\"key {Colour(c)}\"></span>{Html.Text(report.Comparison.Contenders[c].Name)}</h3>\n<pre>{Html.Text(Shortened(answer.Answer))}</pre>\n<p class=\"marks\">");
                foreach (var metric in report.Comparison.Metrics)
                {
                    var right = answer.Scores[metric.Name] == 1;
                    page.Append($"<span class=\"{(right ? "right" : "wrong")}\">{(right ? "✓" : "✗")} {Html.Text(metric.Label)}</span> ");
                }

                page.Append("</p></div>\n");
            }

            page.Append($"<div class=\"answer\"><h3>wanted</h3>\n<pre>{Html.Text(sample.Expected)}</pre></div>\n</div>\n</article>\n");
        }

        page.Append("</section>\n");
    }

    private static void Training(StringBuilder page, Report report)
    {
        page.Append($"<section>\n<h2>How it was trained</h2>\n<div class=\"split\">\n<div>\n<p class=\"note\"><span class=\"key line\"></span>training loss <span class=\"key dot\"></span>validation loss, in nats for each learned token</p>\n{LossChart.Draw(report.Curve)}</div>\n<dl class=\"facts\">\n");
        foreach (var fact in report.Facts)
        {
            page.Append($"<dt>{Html.Text(fact.Name)}</dt><dd>{Html.Text(fact.Value)}</dd>\n");
        }

        page.Append("</dl>\n</div>\n");
        if (report.Example is { } example)
        {
            page.Append($"<h3>One of the examples it learned from</h3>\n<div class=\"answers\">\n<div class=\"answer\"><h3>it reads</h3><pre>{Html.Text(example.Name)}</pre></div>\n<div class=\"answer\"><h3>it learns to write</h3><pre>{Html.Text(example.Value)}</pre></div>\n</div>\n");
        }

        page.Append("</section>\n");
    }

    private static void Next(StringBuilder page, Report report)
    {
        page.Append("<section>\n<h2>Go on with your own</h2>\n");
        foreach (var step in report.Next)
        {
            page.Append($"<p>{Html.Text(step.Name)}</p>\n<pre class=\"command\">{Html.Text(step.Value)}</pre>\n");
        }

        page.Append("</section>\n");
    }

    private static string Colour(int contender) => "c" + (contender % 4).ToString(CultureInfo.InvariantCulture);

    /// <summary>A base model that does not know when to stop would fill the page.</summary>
    private static string Shortened(string answer)
    {
        const int Longest = 600;
        return answer.Length == 0 ? "(nothing)" : answer.Length <= Longest ? answer : answer[..Longest] + " …";
    }
}
