using System.Globalization;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Training.Checkpoints;

/// <summary>A whole checkpoint on disk.</summary>
public sealed record Checkpoint(string Path, CheckpointState State)
{
    public int Step => State.Step;
}

/// <summary>
/// The checkpoints of one run: directories <c>step-000120</c>, each whole or not there. It knows nothing of weights:
/// what lies in a checkpoint is written by the caller. The best checkpoint is the one that the newest checkpoint's
/// state names, so that there is no second file that could disagree after a kill.
/// </summary>
/// <param name="folder">The run's <c>checkpoints</c> folder; made when the first checkpoint is saved.</param>
/// <param name="keep">How many of the newest to keep, at least 1. The best of those kept stays as well.</param>
public sealed class CheckpointStore(string folder, int keep = 2)
{
    private const string Prefix = "step-";
    private readonly int keep = keep >= 1 ? keep : throw new ArgumentOutOfRangeException(nameof(keep), keep, "at least one checkpoint must be kept");

    public static string Name(int step) => Prefix + step.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>The whole checkpoints, oldest first; damaged and half-written ones are left out.</summary>
    public IReadOnlyList<Checkpoint> All() => [.. Steps().Order().Select(TryRead).OfType<Checkpoint>()];

    /// <summary>The newest whole checkpoint, from which a run resumes, or null.</summary>
    public Checkpoint? Latest() => Steps().OrderDescending().Select(TryRead).FirstOrDefault(c => c is not null);

    /// <summary>The checkpoint with the lowest validation loss; the newest where nothing was evaluated; or null.</summary>
    public Checkpoint? Best() => Latest() is not { } latest ? null
        : latest.State.BestStep is { } best ? TryRead(best) ?? latest
        : latest;

    /// <summary>
    /// Saves a checkpoint, then removes those that need not be kept, never the other way round. A checkpoint of the
    /// same step is replaced.
    /// </summary>
    /// <param name="state">Written as <c>state.json</c>, with the sizes of the other files filled in.</param>
    /// <param name="write">Writes the other files into the directory it is given.</param>
    /// <param name="expectedBytes">Free space to ask for before writing; 0: as much as the newest checkpoint takes.</param>
    /// <exception cref="RunFailedException">Code <c>disk_full</c>; the earlier checkpoints are intact.</exception>
    public Checkpoint Save(CheckpointState state, Action<string> write, long expectedBytes = 0)
    {
        var path = PathOf(state.Step);
        var latest = Latest();
        var safe = latest is null ? "there is no checkpoint yet" : $"the last good checkpoint is {Name(latest.Step)}";
        try
        {
            FileSteps.CreateDirectory(folder);
            var needed = Math.Max(expectedBytes, latest?.State.Files.Values.Sum() ?? 0);
            if (DiskSpace.Free(folder) is { } free && free < needed)
            {
                throw DiskSpace.Full(path, safe, $"{needed:N0} bytes needed, {free:N0} free");
            }

            AtomicDirectory.Write(path, aside =>
            {
                write(aside);
                var files = Directory.GetFiles(aside, "*", SearchOption.AllDirectories)
                    .ToDictionary(f => Path.GetRelativePath(aside, f).Replace('\\', '/'), f => new FileInfo(f).Length, StringComparer.Ordinal);
                state = state with { Files = new(files, StringComparer.Ordinal) };
                FileSteps.Announce($"write {aside}/{CheckpointState.FileName}");
                File.WriteAllBytes(Path.Combine(aside, CheckpointState.FileName), JsonSerializer.SerializeToUtf8Bytes(state, CheckpointState.Json));
            });
            Prune();
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(path, safe, inner: e);
        }

        return new Checkpoint(path, state);
    }

    /// <summary>
    /// Removes what a killed program left half-written or had not come to remove. Only for the process that holds the run.
    /// </summary>
    public void CleanUp()
    {
        AtomicDirectory.CleanUp(folder);
        Prune();
    }

    private void Prune()
    {
        // Only whole ones count, or a damaged one would push out the last good one; what is damaged is left to be looked at.
        var whole = All();
        var newest = whole.TakeLast(keep).ToArray();
        // Also the best of each one kept: should the newest get damaged, the one before it must be able to go on.
        var kept = newest.Select(c => c.Step).Union(newest.Select(c => c.State.BestStep).OfType<int>()).ToHashSet();
        foreach (var checkpoint in whole.Where(c => !kept.Contains(c.Step)))
        {
            AtomicDirectory.Delete(checkpoint.Path);
        }
    }

    private string PathOf(int step) => Path.Combine(folder, Name(step));

    private Checkpoint? TryRead(int step)
    {
        try
        {
            var path = PathOf(step);
            return Directory.Exists(path) && CheckpointState.Read(path) is var state && state.Step == step ? new Checkpoint(path, state) : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    private IEnumerable<int> Steps()
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var directory in Directory.GetDirectories(folder, Prefix + "*"))
        {
            var name = Path.GetFileName(directory);
            if (int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step) && name == Name(step))
            {
                yield return step;
            }
        }
    }
}
