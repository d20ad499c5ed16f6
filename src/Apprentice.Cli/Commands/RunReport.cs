using Apprentice.Training.Runs;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>How a run is shown when it ends, and which exit code that is: the same for <c>train</c> and <c>resume</c>.</summary>
internal static class RunReport
{
    public static int Print(Terminal terminal, TrainingSummary summary)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(summary);
        }
        else
        {
            PrintTable(terminal, summary);
        }

        return summary.Status switch
        {
            RunStatus.Succeeded => ExitCode.Done,
            RunStatus.Paused or RunStatus.Cancelled => ExitCode.Interrupted,
            _ => ExitCode.Failed,
        };
    }

    private static void PrintTable(Terminal terminal, TrainingSummary s)
    {
        var grid = new Grid().AddColumns(2);
        void Row(string name, FormattableString value) => grid.AddRow($"[grey]{name}[/]", Markup.Escape(Format.Text(value)));

        Row("run", $"{s.Run}");
        if (s.Model is not null)
        {
            Row("model", $"{s.Model}");
        }

        Row("status", $"{s.Status.ToString().ToLowerInvariant()} after {s.Steps} steps, {s.Epochs:0.##} epochs, {Format.Duration(TimeSpan.FromSeconds(s.DurationSeconds))}");
        Row("train loss", $"{Format.Loss(s.TrainLoss)}");
        Row("valid loss", $"{(s.ValidLoss is { } loss ? Format.Loss(loss) : "-")}");
        Row("speed", $"{Format.Speed(s.TokensPerSecond)} tok/s, {Format.Speed(s.ExamplesPerSecond)} ex/s");
        Row("peak memory", $"{Format.Bytes(s.PeakMemoryBytes)}");
        Row("trained", $"{Format.Count(s.TrainableParameters)} parameters");
        terminal.Results.Write(grid);
        terminal.Output.WriteLine(s.Status == RunStatus.Succeeded
            ? $"\ntry it: apprentice generate --model {s.Run} --prompt \"…\""
            : $"\ngo on with it: apprentice resume {s.Run}");
    }
}
