namespace Apprentice.Recipes.Base.Mixture;

/// <summary>
/// What is held out must not be trained on in another dress: the same passage under another question, a dialogue whose turns
/// became tasks. A document that shares several runs of eight words with a held-out one is told from one that only shares the
/// wording of its template by how many documents have that run.
/// </summary>
public sealed class HeldOutText
{
    private const int Words = 8, Template = 30, Shared = 5;

    private readonly Dictionary<ulong, int> _seen = [];

    public void Add(Document document)
    {
        foreach (var run in Runs(document.Text))
        {
            _seen.TryAdd(run, 0);
        }
    }

    /// <summary>Counts a document of any source; all of them, before the first question.</summary>
    public void Count(Document document)
    {
        foreach (var run in Runs(document.Text).Distinct())
        {
            if (_seen.TryGetValue(run, out var count))
            {
                _seen[run] = count + 1;
            }
        }
    }

    public bool Overlaps(Document document) =>
        Runs(document.Text).Distinct().Where(run => _seen.TryGetValue(run, out var count) && count <= Template).Take(Shared).Count() == Shared;

    private static IEnumerable<ulong> Runs(string text)
    {
        var window = new Queue<ulong>(Words);
        var hash = 0UL;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && char.IsLetterOrDigit(text[i]))
            {
                hash = (hash ^ char.ToLowerInvariant(text[i])) * 1099511628211UL;
                continue;
            }

            if (hash == 0)
            {
                continue;
            }

            if (window.Count == Words)
            {
                window.Dequeue();
            }

            window.Enqueue(hash);
            hash = 0;
            if (window.Count == Words)
            {
                yield return window.Aggregate(14695981039346656037UL, (all, word) => (System.Numerics.BitOperations.RotateLeft(all, 7) ^ word) * 0x9E3779B97F4A7C15UL);
            }
        }
    }
}
