using Apprentice.Evaluation;
using Apprentice.Evaluation.Reports;
using Spectre.Console;

namespace Apprentice.Cli.Quickstart;

/// <summary>What quickstart says on its way. With <c>--json</c> all of it goes to standard error.</summary>
internal sealed class QuickstartView(Terminal terminal, string folder)
{
    private const int LongestAnswer = 300;
    private readonly IAnsiConsole _console = terminal.Json ? terminal.Progress : terminal.Results;

    public void Material(int examples, ExampleParts shown)
    {
        Heading(1, "What it will learn");
        _console.WriteLine("The support desk of an invented shop: each message is to be answered with an intent, a priority and a");
        _console.WriteLine($"polite reply, in strict JSON. There are {examples} examples. This is how the model sees one of them:");
        _console.WriteLine();
        Block("it reads", shown.Read, "grey");
        Block("it learns to write", shown.Learned, "orange1");
        _console.WriteLine(Format.Text($"{shown.Tokens} tokens, {shown.LearnedTokens} of them learned"));
    }

    public void Training()
    {
        Heading(2, "Training");
        _console.WriteLine($"Into {folder}; Ctrl-C stops and saves.");
    }

    public void Measuring(int examples)
    {
        Heading(3, "Measuring");
        _console.WriteLine($"Three contenders answer {examples} messages that none of them has seen, in phrases that were not trained on.");
    }

    /// <summary>Shows how far a contender is while it answers.</summary>
    public T Watch<T>(string name, Func<IProgress<double>, T> work) => terminal.Progress.Progress().AutoClear(true).Start(context =>
    {
        var task = context.AddTask(Markup.Escape(name), maxValue: 1);
        return work(new Share(task));
    });

    public void Verdict(Report report, string file)
    {
        Heading(4, "Was it worth it?");
        _console.Write(Shares(report.Comparison));
        foreach (var sample in report.Samples.Take(2))
        {
            Answers(report.Comparison, sample);
        }

        _console.MarkupLine($"[bold {(report.Verdict.IsWorthIt ? "green" : "red")}]{Markup.Escape(report.Verdict.Headline)}[/]");
        _console.WriteLine(report.Verdict.Text);
        _console.WriteLine();
        _console.WriteLine($"report: {file}");
        foreach (var step in report.Next)
        {
            _console.WriteLine();
            _console.MarkupLine($"[grey]{Markup.Escape(step.Name)}[/]");
            _console.WriteLine($"  {step.Value}");
        }
    }

    private static Table Shares(Comparison comparison)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("share of answers");
        foreach (var contender in comparison.Contenders)
        {
            table.AddColumn(new TableColumn(Markup.Escape(contender.Name)).RightAligned());
        }

        foreach (var metric in comparison.Metrics)
        {
            table.AddRow([Markup.Escape(metric.Label), .. comparison.Contenders.Select(c =>
            {
                var value = c.Metrics[metric.Name];
                return Format.Text($"{100 * value.Value:0}% [grey]({100 * value.Low:0} to {100 * value.High:0})[/]");
            })]);
        }

        return table;
    }

    private void Answers(Comparison comparison, Sample sample)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        grid.AddRow("[grey]message[/]", Markup.Escape(sample.Prompt));
        for (var c = 0; c < sample.Answers.Count; c++)
        {
            var answer = sample.Answers[c];
            var right = answer.Scores[comparison.Primary.Name] == 1;
            grid.AddRow(
                $"[grey]{Markup.Escape(comparison.Contenders[c].Name)}[/]",
                $"[{(right ? "green]right" : "red]wrong")}[/] {Markup.Escape(Shown(answer.Answer))}");
        }

        _console.Write(grid);
        _console.WriteLine();
    }

    /// <summary>On one line, without what a terminal would obey.</summary>
    private static string Shown(string answer)
    {
        var plain = new string([.. answer.Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        return plain.Length == 0 ? "(nothing)" : plain.Length <= LongestAnswer ? plain : plain[..LongestAnswer] + "…";
    }

    private void Heading(int number, string text)
    {
        _console.WriteLine();
        _console.MarkupLine($"[bold]{number} of 4  {text}[/]");
    }

    private void Block(string name, string text, string colour)
    {
        _console.MarkupLine($"[grey]{name}:[/]");
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            _console.MarkupLine($"  [{colour}]{Markup.Escape(line)}[/]");
        }
    }

    private sealed class Share(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }
}
