using System.Text;
using Apprentice.Data;

namespace Apprentice.Recipes.Base;

/// <summary>The choices of one example: a function of (seed, purpose, index) and of the order of the questions, and of nothing else.</summary>
public sealed class Draw(ulong seed, string purpose, long index)
{
    private readonly CounterRandom _random = new(seed ^ Hash(purpose), RandomStream.Sampling, (ulong)index);
    private ulong _position;

    /// <summary>An integer of <paramref name="low"/>..<paramref name="high"/>, both included.</summary>
    public int Number(int low, int high) => low + _random.Below(high - low + 1, _position++);

    public bool Chance(double probability) => _random.Uniform(_position++) < probability;

    public T Pick<T>(IReadOnlyList<T> from) => from[Number(0, from.Count - 1)];

    /// <summary>Some of the items, in a drawn order.</summary>
    public IReadOnlyList<T> Sample<T>(IEnumerable<T> from, int count)
    {
        var items = from.ToList();
        count = Math.Min(count, items.Count);
        for (var i = 0; i < count; i++)
        {
            var j = Number(i, items.Count - 1);
            (items[i], items[j]) = (items[j], items[i]);
        }

        return items[..count];
    }

    public IReadOnlyList<T> Shuffle<T>(IEnumerable<T> items) => Sample(items, int.MaxValue);

    /// <summary>FNV-1a over UTF-8: the same on every machine, unlike string.GetHashCode.</summary>
    public static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        return hash;
    }
}
