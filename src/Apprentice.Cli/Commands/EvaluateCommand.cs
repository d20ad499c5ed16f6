using System.CommandLine;
using Apprentice.Evaluation;
using Apprentice.Models.Generation;
using Apprentice.Training.Recipes;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>evaluate</c> is asked to do.</summary>
/// <param name="Model">A model reference.</param>
/// <param name="Data">Files of examples; none: the test examples of the run's recipe.</param>
/// <param name="Metrics">Names of metrics; none: the one of the run's recipe, else exact_match.</param>
/// <param name="Format">How the data is laid out.</param>
/// <param name="Columns">Role to field, where the data's fields have names of their own; may be empty.</param>
/// <param name="Out">File for a row per example (prompt, expected, answer, scores), or null.</param>
/// <param name="System">A system message where an example has none, or null: the one of the run's recipe, if any.</param>
/// <param name="Raw">The prompts as they are, without the chat template.</param>
/// <param name="Sampling">Validated.</param>
/// <param name="Threads">Null: one per core.</param>
internal sealed record EvaluateRequest(
    string Model, IReadOnlyList<string> Data, IReadOnlyList<string> Metrics, DataFormat Format, IReadOnlyDictionary<string, string> Columns, string? Out, string? System, bool Raw, SamplingOptions Sampling, int? Threads)
{
    /// <summary>An adapter for the base model, or null.</summary>
    public string? Adapter { get; init; }
}

/// <summary><c>evaluate</c>: how well a model answers held-out examples, with confidence intervals.</summary>
internal static class EvaluateCommand
{
    /// <summary>Evaluates; reports the share of examples done, from 0 to 1.</summary>
    public delegate Task<EvaluationSummary> Work(EvaluateRequest request, IProgress<double> progress, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work evaluate)
    {
        var model = CommonOptions.Model();
        var adapter = CommonOptions.Adapter();
        var data = new Option<string[]>("--data") { Description = "Held-out examples (JSONL); may be given more than once. Default: what the run's recipe keeps as test.", HelpName = "FILE" };
        var metric = new Option<string[]>("--metric")
        {
            Description = "What to measure, such as exact_match; may be given more than once. Default: what the run's recipe says, else exact_match.",
            HelpName = "NAME",
        };
        var columns = new Option<string[]>("--columns") { Description = "Which field of the data plays which role: prompt=question,completion=answer.", HelpName = "ROLE=FIELD" };
        var format = new Option<string?>("--format") { Description = $"{RecipeField.Find("format")!.Help} Default: auto.", HelpName = string.Join('|', RecipeField.Find("format")!.Choices) };
        var outFile = CommonOptions.File("--out", "Write a JSON line per example: prompt, expected, answer, scores.");
        var system = CommonOptions.System();
        var raw = CommonOptions.Raw();
        var threads = CommonOptions.Threads();
        var sampling = new SamplingOptionSet();
        var verb = new Verb(
            "evaluate",
            "Measure how well a model answers held-out examples.",
            "apprentice evaluate --model runs/tickets --data tickets-test.jsonl --metric exact_match")
        {
            model, adapter, data, metric, format, columns, outFile, system, raw, threads,
        };
        sampling.AddTo(verb);
        verb.SetAction(async (parsed, cancel) =>
        {
            var request = new EvaluateRequest(
                parsed.GetRequiredValue(model),
                parsed.GetValue(data) ?? [],
                parsed.GetValue(metric) ?? [],
                parsed.GetValue(format) is { } stated ? Recipe.FromOptions([KeyValuePair.Create("--format", stated)]).Format!.Value : DataFormat.Auto,
                Columns(parsed.GetValue(columns) ?? []),
                parsed.GetValue(outFile),
                parsed.GetValue(system),
                parsed.GetValue(raw),
                sampling.Read(parsed),
                parsed.GetValue(threads))
            {
                Adapter = parsed.GetValue(adapter),
            };
            var summary = await terminal.Progress.Progress().AutoClear(true).StartAsync(context =>
            {
                var task = context.AddTask("evaluating", maxValue: 1);
                return evaluate(request, new ShareDone(task), cancel);
            });
            Print(terminal, summary);
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>Read as the recipe's field of that name.</summary>
    private static IReadOnlyDictionary<string, string> Columns(string[] given) =>
        Recipe.FromOptions(given.Select(value => KeyValuePair.Create("--columns", value))).Columns ?? new Dictionary<string, string>();

    private static void Print(Terminal terminal, EvaluationSummary summary)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(summary);
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("metric");
        table.AddColumn(new TableColumn("value").RightAligned()).AddColumn(new TableColumn("95% interval").RightAligned());
        foreach (var (name, metric) in summary.Metrics)
        {
            table.AddRow(Markup.Escape(name), Format.Text($"{metric.Value:0.0000}"), Format.Text($"{metric.Low:0.0000} to {metric.High:0.0000}"));
        }

        terminal.Results.Write(table);
        terminal.Output.WriteLine(Format.Text($"{summary.Examples} examples"));
    }
}
