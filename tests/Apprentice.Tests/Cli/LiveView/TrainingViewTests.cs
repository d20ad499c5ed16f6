using Apprentice.Cli;
using Apprentice.Cli.LiveView;
using Apprentice.Training.Runs;
using Spectre.Console;

namespace Apprentice.Tests.Cli.LiveView;

public class TrainingViewTests
{
    [Fact]
    public void A_log_gets_about_fifty_lines_and_every_evaluation_and_message()
    {
        using var log = new StringWriter();
        var view = new PlainTrainingView(log);
        foreach (var step in InventedRun.Steps(480))
        {
            view.Report(step);
        }

        var lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 50, 75);
        Assert.StartsWith("step 1/480  epoch 0.01  loss 3.8", lines[0], StringComparison.Ordinal);
        Assert.Equal(12, lines.Count(l => l.Contains("  valid ", StringComparison.Ordinal)));
        Assert.Contains("step 200/480  checkpoint saved: step-000200 [best]", lines);
        Assert.EndsWith("  812 tok/s  3.21 ex/s  memory 912 MB (401 MB private)  0s left", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_terminal_plain_lines_go_to_standard_error()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var result = await TrainingView.ShowAsync(new Terminal(output, error, json: true), view =>
        {
            view.Report(InventedRun.Steps(10).First());
            return Task.FromResult(7);
        });
        Assert.Equal(7, result);
        Assert.Equal("", output.ToString());
        Assert.StartsWith("step 1/10 ", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_terminal_ends_with_the_last_state(bool unicode)
    {
        var screen = await Record(unicode, InventedRun.Steps(480));
        var last = screen[screen.LastIndexOf("train loss", StringComparison.Ordinal)..];
        Assert.Contains("step 480/480  epoch 4.00  5m36s  0s left", last, StringComparison.Ordinal);
        Assert.Contains("best so far", last, StringComparison.Ordinal);
        Assert.Contains("912 MB resident  401 MB private", last, StringComparison.Ordinal);
        Assert.Contains("checkpoint saved: step-000400 [best]", last, StringComparison.Ordinal);
        Assert.Equal(unicode, screen.Any(c => c is > '\u2800' and < '\u2900'));
    }

    [Fact]
    public async Task Loss_that_is_no_number_is_shown_and_not_drawn()
    {
        var steps = InventedRun.Steps(20).Select(s => s.Step > 10 ? s with { TrainLoss = double.NaN, ValidLoss = double.NaN } : s);
        Assert.Contains("NaN", await Record(unicode: true, steps), StringComparison.Ordinal);
    }

    private static async Task<string> Record(bool unicode, IEnumerable<TrainingProgress> steps)
    {
        using var screen = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = new AnsiConsoleOutput(screen),
        });
        console.Profile.Width = 120;
        console.Profile.Capabilities.Unicode = unicode;
        await LiveTrainingView.ShowAsync(console, view =>
        {
            foreach (var step in steps)
            {
                view.Report(step);
            }

            return Task.FromResult(0);
        });
        return screen.ToString();
    }
}
