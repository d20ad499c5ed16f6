using System.Runtime.InteropServices;

namespace Apprentice.Data.Tokenizers;

/// <summary>Texts with a number each, found by walking from character to character (UTF-16 units).</summary>
internal sealed class TokenTrie
{
    public const int Root = 0;
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<int> _values = [-1];

    /// <summary>Adds a text that is not empty. Of two equal ones the first counts, or the last where <paramref name="replace"/> says so.</summary>
    public void Add(ReadOnlySpan<char> text, int value, bool replace = false)
    {
        var node = Root;
        foreach (var c in text)
        {
            ref var next = ref CollectionsMarshal.GetValueRefOrAddDefault(_edges, (node, c), out var there);
            if (!there)
            {
                next = _values.Count;
                _values.Add(-1);
            }

            node = next;
        }

        if (replace || _values[node] < 0)
        {
            _values[node] = value;
        }
    }

    /// <summary>The next node, or -1 where no text goes on so.</summary>
    public int Step(int node, char next) => _edges.TryGetValue((node, next), out var found) ? found : -1;

    /// <summary>The number of the text that ends at a node, or -1.</summary>
    public int Value(int node) => _values[node];

    /// <summary>The number of the longest text that <paramref name="text"/> begins with, and its length; -1 where there is none.</summary>
    public int Longest(ReadOnlySpan<char> text, out int length, int from = Root)
    {
        var found = -1;
        length = 0;
        var node = from;
        for (var i = 0; i < text.Length && (node = Step(node, text[i])) >= 0; i++)
        {
            if (_values[node] >= 0)
            {
                (found, length) = (_values[node], i + 1);
            }
        }

        return found;
    }
}
