using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using Apprentice.Cli.Quickstart;
using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Commands;

/// <summary><c>quickstart</c>: the whole path on the built-in base model and bundled examples, ending in a report.</summary>
internal static class QuickstartCommand
{
    private const string DefaultFolder = "runs/quickstart";

    public static Verb Create(Terminal terminal)
    {
        var open = new Option<bool>("--open") { Description = "Open the report when it is there.", Arity = ArgumentArity.Zero };
        var keep = new Option<string?>("--keep") { Description = $"The folder of the run, which must be new or empty (default: {DefaultFolder}, or with a number behind).", HelpName = "DIR" };
        var model = new Option<string?>("--model") { Description = "Another base model than the built-in one: a .gguf file, a Hugging Face folder, or a registered name.", HelpName = "MODEL" };
        var seed = CommonOptions.Whole("--seed", "Where all randomness comes from (default 1).", atLeast: 0);
        var steps = CommonOptions.Whole("--max-steps", "End the training sooner.", atLeast: 0);
        var threads = CommonOptions.Threads();
        var verb = new Verb(
            "quickstart",
            "Fine-tune the built-in model on bundled examples, see what it gained, and get a report: about a minute.",
            "apprentice quickstart --open")
        {
            open, keep, model, seed, steps, threads,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(keep) is { } given ? RequireEmpty(given) : FreeFolder();
            var view = new QuickstartView(terminal, folder);
            var request = new QuickstartRequest(
                parsed.GetValue(model) ?? BuiltInModel.Name, folder, parsed.GetValue(seed) ?? 1, parsed.GetValue(steps), parsed.GetValue(threads));
            var result = await new QuickstartRun(request, view, terminal).RunAsync(cancel);
            if (result is not { Report: { } report, ReportFile: { } file })
            {
                return RunReport.Print(terminal, result.Training);
            }

            view.Verdict(report, file);
            if (parsed.GetValue(open))
            {
                Open(terminal, file);
            }

            if (terminal.Json)
            {
                WriteJson(terminal, result, report, file);
            }

            return report.Verdict.IsWorthIt ? ExitCode.Done : ExitCode.Refused;
        });
        return verb;
    }

    private static void WriteJson(Terminal terminal, QuickstartResult result, Evaluation.Reports.Report report, string file) => terminal.WriteJson(new
    {
        result.Training.Run,
        Report = file,
        Verdict = new { report.Verdict.Outcome, WorthIt = report.Verdict.IsWorthIt, report.Verdict.Headline, report.Verdict.Text, report.Verdict.Gain },
        Examples = report.Comparison.Tuned.Answers.Count,
        Contenders = report.Comparison.Contenders.Select(c => new { c.Name, c.Metrics }),
        result.Training,
        result.EvaluationSeconds,
    });

    /// <summary>A folder that was named must not hold anything, for nothing is ever overwritten.</summary>
    private static string RequireEmpty(string folder) => IsFree(folder) || (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        ? folder
        : throw new InputException("run_exists", "there is something there already, and nothing is overwritten", folder, hint: "give another --keep, or leave it out");

    private static string FreeFolder() =>
        Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? DefaultFolder : $"{DefaultFolder}-{i}").First(IsFree);

    private static bool IsFree(string folder) => !Path.Exists(folder);

    /// <summary>A machine without a browser is no reason to fail.</summary>
    private static void Open(Terminal terminal, string file)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(Path.GetFullPath(file)) { UseShellExecute = true });
        }
        catch (Win32Exception e)
        {
            terminal.Error.WriteLine($"the report could not be opened here ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}); it is in {file}");
        }
    }
}
