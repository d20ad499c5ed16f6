using Apprentice.Training.Runs;

namespace Apprentice.Cli.LiveView;

/// <summary>Shows a run while it goes on: live on a terminal, as plain lines in a log.</summary>
internal static class TrainingView
{
    /// <summary>Runs the work; what it reports is shown on standard error.</summary>
    public static Task<T> ShowAsync<T>(Terminal terminal, Func<IProgress<TrainingProgress>, Task<T>> work) =>
        IsLive(terminal) ? LiveTrainingView.ShowAsync(terminal.Progress, work) : work(new PlainTrainingView(terminal.Error));

    // Build servers often pretend to be a terminal; nobody watches there, and the log would fill with redrawn frames.
    public static bool IsLive(Terminal terminal) =>
        terminal.Progress.Profile.Out.IsTerminal
        && terminal.Progress.Profile.Capabilities.Ansi
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
}
