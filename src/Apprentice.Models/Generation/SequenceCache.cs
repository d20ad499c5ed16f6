using Apprentice.Models.Architectures;

namespace Apprentice.Models.Generation;

/// <summary>
/// Keys and values of one sequence of tokens, kept from one answer to the next: what a prompt begins with and the sequence does,
/// too, is not computed again. Belongs to one model with one adapter.
/// </summary>
public sealed class SequenceCache
{
    private KeyValueCache? _cache;
    private IReadOnlyList<int> _tokens = [];
    private int _count;

    /// <summary>Tokens of the last prompt that were there already.</summary>
    public int Reused { get; private set; }

    /// <summary>A cache of at least so many rows whose first <see cref="Reused"/> rows are of the prompt's first tokens.</summary>
    internal KeyValueCache Begin(LanguageModel model, int[] prompt, int rows)
    {
        // The last token is computed in any case: its logits are what is wanted.
        Reused = _tokens.Take(_count).Zip(prompt.SkipLast(1)).TakeWhile(pair => pair.First == pair.Second).Count();
        if (Reused <= model.ShortContext && Math.Max(_count, prompt.Length) > model.ShortContext)
        {
            Reused = 0; // keys are rotated otherwise beyond the short context, and go over only where both are on the same side of it
        }

        _count = Reused;
        if (_cache is null || _cache.Rows < rows)
        {
            var grown = model.NewCache(Math.Max(rows, 2 * (_cache?.Rows ?? 0)));
            grown.CopyFrom(_cache, Reused);
            _cache = grown;
        }

        return _cache;
    }

    /// <summary>Says which tokens the first rows are of now.</summary>
    internal void Keep(IReadOnlyList<int> tokens, int count) => (_tokens, _count) = (tokens, count);
}
