using Apprentice.Data;

namespace Apprentice.Training.Runs;

/// <summary>
/// What must be the same for a run to give the same bits again: the <c>lock.json</c> of a run. Names are free; a slash
/// groups them (<c>data/tickets.jsonl</c>, <c>kernels/tile</c>).
/// </summary>
public sealed record RunLock
{
    /// <summary>SHA-256, in lower-case hex, of weights, tokenizer, template, data and splits.</summary>
    public SortedDictionary<string, string> Hashes { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Versions, seed, instruction set, kernel choices, paths: read back on resume.</summary>
    public SortedDictionary<string, string> Settings { get; init; } = new(StringComparer.Ordinal);

    /// <summary>One thing that is not as it was; null: it was, or is, not there.</summary>
    public sealed record Difference(string Name, string? Was, string? Is);

    /// <summary>The hashes that differ between this lock and what is there now.</summary>
    public IReadOnlyList<Difference> ChangedHashes(RunLock now) => Compare(Hashes, now.Hashes);

    /// <summary>The settings that differ: the run can go on, but the same bits are no longer promised.</summary>
    public IReadOnlyList<Difference> ChangedSettings(RunLock now) => Compare(Settings, now.Settings);

    /// <summary>Refuses to go on with other weights, data, tokenizer or template than the run began with.</summary>
    /// <exception cref="InputException">Code <c>lock_changed</c>; names every hash that changed.</exception>
    public void Verify(RunLock now, string file)
    {
        var changed = ChangedHashes(now);
        if (changed.Count > 0)
        {
            throw new InputException(
                "lock_changed",
                "not the same as when the run began: " + string.Join("; ", changed.Select(d => $"{d.Name} (was {Short(d.Was)}, is {Short(d.Is)})")),
                file,
                hint: "put the original back, or start a new run");
        }
    }

    public static string HashFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20, FileOptions.SequentialScan);
        return Convert.ToHexStringLower(Sha256.Hash(file));
    }

    public static string HashText(string text) => Convert.ToHexStringLower(Sha256.Hash(text));

    private static Difference[] Compare(IDictionary<string, string> was, IDictionary<string, string> now) =>
    [
        .. was.Keys.Union(now.Keys).Order(StringComparer.Ordinal)
            .Select(name => new Difference(name, was.TryGetValue(name, out var w) ? w : null, now.TryGetValue(name, out var n) ? n : null))
            .Where(d => d.Was != d.Is),
    ];

    private static string Short(string? hash) => hash is null ? "not there" : hash.Length > 12 ? hash[..12] + "…" : hash;
}
