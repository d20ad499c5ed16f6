using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>Shows the share that is done, 0 to 1, as a bar.</summary>
internal sealed class ShareDone(ProgressTask task) : IProgress<double>
{
    public void Report(double value) => task.Value = value;
}
