using System.CommandLine;
using Apprentice.Cli.LiveView;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary><c>resume</c>: continues a run exactly where it stopped.</summary>
internal static class ResumeCommand
{
    /// <summary>
    /// Continues the run in a folder, from the start where there is no checkpoint yet; a finished one gives its summary
    /// at once. When cancelled it finishes the step, saves and returns with status paused.
    /// </summary>
    public delegate Task<TrainingSummary> Work(string run, IProgress<TrainingProgress> progress, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work resume)
    {
        var run = new Argument<string>("RUN") { Description = "The run's folder." };
        var verb = new Verb(
            "resume",
            "Continue a run exactly where it stopped: after Ctrl-C, a crash or a full disk.",
            "apprentice resume runs/tickets")
        {
            run,
        };
        verb.SetAction(async (parsed, cancel) => RunReport.Print(
            terminal,
            await TrainingView.ShowAsync(terminal, progress => resume(parsed.GetRequiredValue(run), progress, cancel))));
        return verb;
    }
}
