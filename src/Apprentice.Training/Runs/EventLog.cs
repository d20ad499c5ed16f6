using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Training.Runs;

/// <summary>
/// The run's <c>events.jsonl</c>: one object a line, only ever appended to. A kill can tear the last line, no other.
/// A step's events are to be appended, and <see cref="Flush"/> called, before the checkpoint of that step is saved:
/// then what <see cref="CutAfter"/> leaves is just what the run that was never killed had written by then.
/// </summary>
public sealed class EventLog : IDisposable
{
    private readonly FileStream file;

    private EventLog(FileStream file) => this.file = file;

    /// <summary>Opens the log to append to it; a torn last line is dropped.</summary>
    public static EventLog Open(string path) => CutAfter(path, int.MaxValue);

    /// <summary>Opens the log to append to it, without the events after <paramref name="step"/> and without a torn last line.</summary>
    /// <param name="path">The log; made when it is not there.</param>
    /// <param name="step">The step of the checkpoint that the run resumes from; -1 drops everything.</param>
    public static EventLog CutAfter(string path, int step)
    {
        // No buffer: an event is one write, and a failed write leaves nothing behind to be written again on closing.
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        try
        {
            var end = Lines(file, path).TakeWhile(l => l.Event.Step <= step).Select(l => l.End).LastOrDefault();
            file.SetLength(end);
            file.Position = end;
            return new EventLog(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The events so far; also while another process writes them. A torn last line is left out.</summary>
    /// <exception cref="InputException">Code <c>bad_events</c>: a line that is whole is no event.</exception>
    public static IReadOnlyList<RunEvent> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return [.. Lines(file, path).Select(l => l.Event)];
    }

    /// <summary>Writes the event and hands it to the system, so that a kill of this process does not lose it.</summary>
    /// <exception cref="RunFailedException">Code <c>disk_full</c>; the log then ends with the event before.</exception>
    public void Append(RunEvent item)
    {
        var end = file.Position;
        try
        {
            file.Write([.. JsonSerializer.SerializeToUtf8Bytes(item, RunEvent.Json), (byte)'\n']);
            file.Flush();
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            file.SetLength(end);
            file.Position = end;
            throw DiskSpace.Full(file.Name, inner: e);
        }
    }

    /// <summary>Waits until the events are on the disk, so that a power cut does not lose them either.</summary>
    public void Flush() => file.Flush(flushToDisk: true);

    public void Dispose() => file.Dispose();

    /// <summary>Each whole line with the offset at which it ends.</summary>
    private static IEnumerable<(RunEvent Event, long End)> Lines(FileStream file, string path)
    {
        const int LongestLine = 1 << 20;
        var line = new byte[4096];
        int length = 0, number = 0;
        long offset = 0;
        var chunk = new byte[1 << 16];
        for (int read; (read = file.Read(chunk)) > 0;)
        {
            for (var i = 0; i < read; i++)
            {
                offset++;
                if (chunk[i] != '\n')
                {
                    if (length == LongestLine)
                    {
                        throw Bad("is longer than 1 MiB");
                    }

                    if (length == line.Length)
                    {
                        Array.Resize(ref line, length * 2);
                    }

                    line[length++] = chunk[i];
                    continue;
                }

                number++;
                yield return (Parse(), offset);
                length = 0;
            }
        }

        RunEvent Parse()
        {
            try
            {
                return JsonSerializer.Deserialize<RunEvent>(line.AsSpan(0, length), RunEvent.Json) ?? throw Bad("is null");
            }
            catch (JsonException e)
            {
                throw Bad($"is no event: {e.Message}");
            }
        }

        InputException Bad(string what) => new("bad_events", $"line {number} {what}", path, number, "the file is written by training only; restore it, or delete it to lose the curves");
    }
}
