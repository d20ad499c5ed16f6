using System.Diagnostics;
using Apprentice.Training.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Apprentice.Cli.LiveView;

/// <summary>A run on a terminal: loss chart, figures, progress bar and the latest message, redrawn in place.</summary>
internal sealed class LiveTrainingView : IProgress<TrainingProgress>
{
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromMilliseconds(100);
    private readonly LossChart chart = new(height: 8);
    private readonly Action<IRenderable> show;
    private readonly int width;
    private readonly bool unicode;
    private TimeSpan drawn = -RedrawEvery;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private (double Loss, int Step)? valid;
    private (double Loss, int Step)? best;
    private string? message;

    private LiveTrainingView(IAnsiConsole console, Action<IRenderable> show)
    {
        this.show = show;
        width = console.Profile.Width;
        unicode = console.Profile.Capabilities.Unicode;
    }

    /// <summary>Runs the work with the view on the console; the last state stays there when it ends.</summary>
    public static Task<T> ShowAsync<T>(IAnsiConsole console, Func<IProgress<TrainingProgress>, Task<T>> work) =>
        console.Live(new Text("starting…")).AutoClear(false).StartAsync(context => work(new LiveTrainingView(console, context.UpdateTarget)));

    public void Report(TrainingProgress value)
    {
        if (value.HasFigures)
        {
            chart.Add(value.Step, value.TrainLoss, value.ValidLoss);
        }

        message = value.Message ?? message;
        if (value.ValidLoss is { } loss)
        {
            valid = (loss, value.Step);
            best = best is null || loss < best.Value.Loss ? valid : best;
        }

        // Fast steps must not spend their time on drawing.
        var isNews = value.ValidLoss is not null || value.Message is not null || value.Step == value.TotalSteps;
        if (isNews || clock.Elapsed - drawn >= RedrawEvery)
        {
            drawn = clock.Elapsed;
            show(Draw(value));
        }
    }

    private Rows Draw(TrainingProgress p)
    {
        var figures = new Grid().AddColumns(6);
        figures.AddRow(
            Name("train loss"), Figure(Format.Loss(p.TrainLoss), "dodgerblue1"),
            Name("learning rate"), Figure(Format.Rate(p.LearningRate)),
            Name("speed"), Figure(Format.Text($"{Format.Speed(p.TokensPerSecond)} tok/s  {Format.Speed(p.ExamplesPerSecond)} ex/s")));
        figures.AddRow(
            Name("valid loss"), Figure(Valid(), "orange1"),
            Name("gradient norm"), Figure(Format.Text($"{p.GradientNorm:0.00}")),
            Name("memory"), Figure(Format.Text($"{Format.Bytes(p.ResidentBytes)} resident  {Format.Bytes(p.PrivateBytes)} private")));
        var left = p.Remaining is { } remaining ? Format.Text($"  {Format.Duration(remaining)} left") : "";
        var place = Format.Text($"  step {p.Step}/{p.TotalSteps}  epoch {p.Epoch:0.00}  {Format.Duration(p.Elapsed)}{left}");
        return new Rows(chart, figures, Bar(p, place), new Markup(message is null ? "" : $"[grey]{Markup.Escape(message)}[/]"));
    }

    private string Valid() => valid is not { } v ? "-"
        : best!.Value.Step == v.Step ? Format.Text($"{Format.Loss(v.Loss)} best so far")
        : Format.Text($"{Format.Loss(v.Loss)} (best {Format.Loss(best.Value.Loss)} at step {best.Value.Step})");

    private Markup Bar(TrainingProgress p, string place)
    {
        var length = Math.Clamp(width - place.Length - 1, 10, 60);
        var done = (int)(length * Math.Clamp(p.TotalSteps == 0 ? 0 : (double)p.Step / p.TotalSteps, 0, 1));
        var (full, empty) = unicode ? ('━', '─') : ('#', '-');
        return new Markup($"[green]{new string(full, done)}[/][grey]{new string(empty, length - done)}[/]{place}");
    }

    private static Markup Name(string name) => new($"[grey]{name}[/]");

    private static Markup Figure(string figure, string colour = "default") => new($"[{colour}]{Markup.Escape(figure)}[/]");
}
