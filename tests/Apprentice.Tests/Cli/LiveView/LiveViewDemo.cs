using Apprentice.Cli.LiveView;

namespace Apprentice.Tests.Cli.LiveView;

/// <summary>
/// To look at the live view by eye. A test host has no terminal of its own, so the one to draw on is named:
/// <c>APPRENTICE_LIVE_VIEW=$(tty) dotnet test --filter LiveViewDemo</c>.
/// </summary>
public class LiveViewDemo
{
    [SkippableFact]
    public async Task Show()
    {
        var tty = Environment.GetEnvironmentVariable("APPRENTICE_LIVE_VIEW");
        Skip.If(string.IsNullOrEmpty(tty), "set APPRENTICE_LIVE_VIEW to a terminal, such as $(tty), to look at the live view");
        await using var screen = new StreamWriter(tty!) { AutoFlush = true };
        var console = Spectre.Console.AnsiConsole.Create(new Spectre.Console.AnsiConsoleSettings
        {
            Ansi = Spectre.Console.AnsiSupport.Yes,
            ColorSystem = Spectre.Console.ColorSystemSupport.EightBit,
            Interactive = Spectre.Console.InteractionSupport.Yes,
            Out = new Spectre.Console.AnsiConsoleOutput(screen),
        });
        console.Profile.Width = 110;
        await LiveTrainingView.ShowAsync(console, async view =>
        {
            foreach (var step in InventedRun.Steps(300))
            {
                view.Report(step);
                await Task.Delay(30);
            }

            return 0;
        });
    }
}
