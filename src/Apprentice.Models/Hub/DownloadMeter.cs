using System.Diagnostics;

namespace Apprentice.Models.Hub;

/// <summary>Reports how far a download is, a few times a second, with its speed over the last seconds.</summary>
internal sealed class DownloadMeter(string file, IProgress<DownloadProgress>? progress)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200), Window = TimeSpan.FromSeconds(5);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Queue<(TimeSpan Time, long Length)> _recent = new();
    private TimeSpan _reported = -Every;
    private bool _ended;

    /// <summary>A note and the end of the file are reported at once.</summary>
    public void Report(PartFile part, string? note = null)
    {
        var now = _clock.Elapsed;
        var total = part.Origin?.Bytes;
        var ends = part.Length == total;
        if (progress is null || (note is null && (ends ? _ended : now - _reported < Every)))
        {
            return;
        }

        (_reported, _ended) = (now, ends);
        _recent.Enqueue((now, part.Length));
        while (now - _recent.Peek().Time > Window)
        {
            _recent.Dequeue();
        }

        var (since, before) = _recent.Peek();
        progress.Report(new DownloadProgress(file, part.Length, total, now > since ? Math.Max(0, part.Length - before) / (now - since).TotalSeconds : 0, note));
    }
}
