using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>What the name <c>loop</c> stands for inside a loop.</summary>
internal sealed class LoopState
{
    private readonly IReadOnlyList<object?> _items;
    private readonly Budget _budget;
    private readonly int _depth;
    private IReadOnlyList<object?>? _lastSeen;

    public LoopState(IReadOnlyList<object?> items, int depth, Func<object?, TracedString> recurse, Budget budget)
    {
        (_items, _depth, _budget) = (items, depth, budget);
        Object = new PyObject("LoopContext", Get, a => recurse(a.Require(0, "iterable")));
    }

    public int Index { get; set; }

    public PyObject Object { get; }

    private object? Get(string name) => name switch
    {
        "index" => new BigInteger(Index + 1),
        "index0" => new BigInteger(Index),
        "revindex" => new BigInteger(_items.Count - Index),
        "revindex0" => new BigInteger(_items.Count - Index - 1),
        "first" => Index == 0,
        "last" => Index == _items.Count - 1,
        "length" => new BigInteger(_items.Count),
        "depth" => new BigInteger(_depth + 1),
        "depth0" => new BigInteger(_depth),
        "previtem" => Index > 0 ? _items[Index - 1] : new Undefined("there is no previous item"),
        "nextitem" => Index + 1 < _items.Count ? _items[Index + 1] : new Undefined("there is no next item"),
        "cycle" => new PyFunction(name, a => a.Positional.Count == 0
            ? throw JinjaException.Type("no items for cycling given")
            : a.Positional[Index % a.Positional.Count]),
        "changed" => new PyFunction(name, a =>
        {
            var same = _lastSeen is not null && Comparisons.AreEqual(new PyTuple(_lastSeen), new PyTuple(a.Positional), _budget);
            _lastSeen = a.Positional;
            return !same;
        }),
        _ => PyObject.None,
    };
}
