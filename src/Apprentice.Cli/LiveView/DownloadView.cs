using System.Diagnostics;
using Apprentice.Models.Hub;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Apprentice.Cli.LiveView;

/// <summary>Shows downloads on standard error: a bar for each file on a terminal, plain lines in a log.</summary>
internal static class DownloadView
{
    /// <summary>Runs the work; what it reports is shown.</summary>
    public static Task<T> ShowAsync<T>(Terminal terminal, Func<IProgress<DownloadProgress>, Task<T>> work) => TrainingView.IsLive(terminal)
        ? terminal.Progress.Progress().AutoClear(false).HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new SizeColumn(), new SpeedColumn(), new LeftColumn())
            .StartAsync(context => work(new Bars(terminal.Progress, context)))
        : work(new Lines(terminal.Error));

    /// <summary>Figures of the download itself: what was there before it went on does not count as speed.</summary>
    private sealed class SpeedColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsFinished ? "" : Speed(task.State.Get<double>(nameof(DownloadProgress.BytesPerSecond))));
    }

    /// <summary>In decimal units, as everywhere else.</summary>
    private sealed class SizeColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsIndeterminate || task.IsFinished ? Format.Bytes((long)task.Value) : $"{Format.Bytes((long)task.Value)} of {Format.Bytes((long)task.MaxValue)}");
    }

    private sealed class LeftColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.State.Get<double>(nameof(DownloadProgress.Remaining)) is > 0 and var seconds && !task.IsFinished ? $"{Format.Duration(TimeSpan.FromSeconds(seconds))} left" : "");
    }

    private static string Speed(double bytesPerSecond) => Format.Text($"{bytesPerSecond / 1e6:0.0} MB/s");

    private sealed class Bars(IAnsiConsole console, ProgressContext context) : IProgress<DownloadProgress>
    {
        private readonly Dictionary<string, ProgressTask> _tasks = [];

        public void Report(DownloadProgress value)
        {
            if (value.Note is { } note)
            {
                console.MarkupLineInterpolated($"[grey]{value.File}: {note}[/]");
            }

            if (!_tasks.TryGetValue(value.File, out var task))
            {
                if (value.Total is null && value.Done == 0)
                {
                    return; // nothing has come of it yet
                }

                _tasks[value.File] = task = context.AddTask(Markup.Escape(value.File));
            }

            task.IsIndeterminate = value.Total is null;
            task.MaxValue = value.Total ?? Math.Max(1, value.Done);
            task.State.Update<double>(nameof(value.BytesPerSecond), _ => value.BytesPerSecond);
            task.State.Update<double>(nameof(value.Remaining), _ => value.Remaining?.TotalSeconds ?? 0);
            task.Value = value.Done;
        }
    }

    /// <summary>The first report of a file, its last, and one every few seconds.</summary>
    private sealed class Lines(TextWriter output) : IProgress<DownloadProgress>
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private TimeSpan _written;
        private string? _file;

        public void Report(DownloadProgress value)
        {
            if (value.Note is { } note)
            {
                output.WriteLine($"{value.File}: {note}");
            }
            else if (value.File != _file || value.Done == value.Total || _clock.Elapsed - _written >= Every)
            {
                (_file, _written) = (value.File, _clock.Elapsed);
                output.WriteLine(Line(value));
            }

            output.Flush();
        }

        private static string Line(DownloadProgress p) => p.Total is { } total
            ? Format.Text($"{p.File}  {(total == 0 ? 100 : 100.0 * p.Done / total):0}%  {Format.Bytes(p.Done)} of {Format.Bytes(total)}  {Speed(p.BytesPerSecond)}{(p.Remaining is { } left && p.Done < total ? $"  {Format.Duration(left)} left" : "")}")
            : Format.Text($"{p.File}  {Format.Bytes(p.Done)}  {Speed(p.BytesPerSecond)}");
    }
}
