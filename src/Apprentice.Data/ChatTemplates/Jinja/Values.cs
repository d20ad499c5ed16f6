using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

// A template's values are: null (None), bool, BigInteger (int), double (float), TracedString (str) and the classes here.

/// <summary>Something that can be gone through: a list, tuple, range, view of a dict or generator.</summary>
internal abstract class PySequence(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;

    /// <summary>Python's name of the type, as its error messages show it.</summary>
    public abstract string TypeName { get; }
}

internal sealed class PyList(IReadOnlyList<object?> items) : PySequence(items)
{
    public override string TypeName => "list";
}

/// <param name="items">The elements.</param>
/// <param name="names">Names of the elements, for the named tuples that <c>groupby</c> makes.</param>
internal sealed class PyTuple(IReadOnlyList<object?> items, IReadOnlyList<string>? names = null) : PySequence(items)
{
    public override string TypeName => "tuple";

    public IReadOnlyList<string> Names { get; } = names ?? [];
}

internal sealed class PyRange(BigInteger start, BigInteger stop, BigInteger step, IReadOnlyList<object?> items) : PySequence(items)
{
    public override string TypeName => "range";

    public override string ToString() => step.IsOne ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})";
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> of a dict give.</summary>
internal sealed class PyDictView(string typeName, IReadOnlyList<object?> items) : PySequence(items)
{
    public override string TypeName => typeName;
}

/// <summary>What lazy filters such as <c>map</c> give: no length, no index, and empty once it has been gone through.</summary>
internal sealed class PyGenerator(IReadOnlyList<object?> items) : PySequence(items)
{
    public override string TypeName => "generator";

    private int _next;

    public object? TakeOne(out bool any)
    {
        any = _next < Items.Count;
        return any ? Items[_next++] : null;
    }

    public IReadOnlyList<object?> TakeRest()
    {
        var rest = _next == 0 ? Items : [.. Items.Skip(_next)];
        _next = Items.Count;
        return rest;
    }
}

/// <summary>A dict in the order in which its keys were put in. Not changed after it has been made.</summary>
internal sealed class PyDict
{
    private readonly List<KeyValuePair<object?, object?>> _entries = [];
    private readonly Dictionary<object, int> _index = [];

    /// <summary>One-based number of the message that this is, or 0: whoever loops over messages writes on its behalf.</summary>
    public int Message { get; init; }

    public IReadOnlyList<KeyValuePair<object?, object?>> Entries => _entries;

    public int Count => _entries.Count;

    public void Set(object? key, object? value)
    {
        var lookup = LookupKey(key);
        if (_index.TryGetValue(lookup, out var at))
        {
            _entries[at] = new(_entries[at].Key, value);
        }
        else
        {
            _index.Add(lookup, _entries.Count);
            _entries.Add(new(key, value));
        }
    }

    public bool TryGet(object? key, out object? value)
    {
        var found = _index.TryGetValue(LookupKey(key), out var at);
        value = found ? _entries[at].Value : null;
        return found;
    }

    public bool TryGet(string key, out object? value)
    {
        var found = _index.TryGetValue(key, out var at);
        value = found ? _entries[at].Value : null;
        return found;
    }

    /// <summary>A key by which equal Python values are equal .NET values: 1, 1.0 and True are one key.</summary>
    public static object LookupKey(object? key, int depth = 0) => key switch
    {
        TracedString s => s.Text,
        bool b => b ? BigInteger.One : BigInteger.Zero,
        BigInteger i => i,
        double d => double.IsInteger(d) ? new BigInteger(d) : d,
        PyTuple t when depth < 4 => "(" + string.Join(",", t.Items.Select(i => LookupKey(i, depth + 1) is string s ? $"'{s}'" : LookupKey(i, depth + 1).ToString())) + ")",
        PyList or PyDict or PyTuple or Namespace => throw JinjaException.Type($"unhashable type: '{Python.TypeName(key)}'"),
        null => DBNull.Value,
        _ => key,
    };
}

/// <summary>A name or attribute that is not there. Prints as nothing; most other uses raise its message.</summary>
internal sealed class Undefined(string message, JinjaError kind = JinjaError.Undefined)
{
    public string Message { get; } = message;

    public JinjaException Error => new(kind, Message);

    public static Undefined Name(string name) => new($"'{name}' is undefined");

    public static Undefined Attribute(object? owner, string name) =>
        new($"'{Python.DescribeType(owner)}' has no attribute {Python.Quote(name)}");

    public static Undefined Element(object? owner, string shown) => new($"{Python.DescribeType(owner)} has no element {shown}");
}

/// <summary>The one kind of object whose attributes a template can set.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Values { get; } = [];

    public void Set(string name, object? value)
    {
        if (name.StartsWith('_'))
        {
            throw new JinjaException(
                JinjaError.Security,
                $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got {Python.Quote(name)}. Please rename the attribute.");
        }

        Values[name] = value;
    }
}

/// <summary>A built-in function, method or other thing that a template can call.</summary>
internal class PyFunction(string name, Func<Arguments, object?> call)
{
    public string Name { get; } = name;

    public object? Call(Arguments arguments) => call(arguments);
}

/// <summary>A macro, or the body of a <c>{% call %}</c> block, with the attributes that Jinja gives it.</summary>
internal sealed class Macro(string name, IReadOnlyList<string> parameters, Func<Arguments, object?> call) : PyFunction(name, call)
{
    public IReadOnlyList<string> Parameters { get; } = parameters;
}

/// <summary>An object with a fixed set of attributes: <c>loop</c>, <c>cycler</c>.</summary>
internal sealed class PyObject(string typeName, Func<string, object?> attribute, Func<Arguments, object?>? call = null)
{
    /// <summary>What <c>attribute</c> gives for a name that the object does not have.</summary>
    public static readonly object None = new();

    public string TypeName { get; } = typeName;

    public object? Attribute(string name) => attribute(name);

    public Func<Arguments, object?>? Call { get; } = call;
}

/// <summary>Arguments of a call, by position and by name.</summary>
internal sealed class Arguments(IReadOnlyList<object?> positional, IReadOnlyList<KeyValuePair<string, object?>>? named = null)
{
    public static readonly Arguments None = new([]);

    public IReadOnlyList<object?> Positional { get; } = positional;

    public IReadOnlyList<KeyValuePair<string, object?>> Named { get; } = named ?? [];

    public bool Has(int index, string name) => index < Positional.Count || Named.Any(n => n.Key == name);

    public object? Get(int index, string name, object? otherwise = null)
    {
        if (index < Positional.Count)
        {
            return Positional[index];
        }

        foreach (var n in Named)
        {
            if (n.Key == name)
            {
                return n.Value;
            }
        }

        return otherwise;
    }

    public object? Require(int index, string name) => Has(index, name)
        ? Get(index, name)
        : throw JinjaException.Type($"missing required argument: '{name}'");

    public bool Flag(int index, string name, bool otherwise = false) => Python.IsTrue(Get(index, name, otherwise));

    public int Integer(int index, string name, int otherwise) => Python.ToIndex(Get(index, name, new BigInteger(otherwise)));

    public string Text(int index, string name, string otherwise) =>
        Get(index, name) is { } value ? Python.ToText(value).Text : otherwise;

    public Arguments Skip(int count) => new([.. Positional.Skip(count)], Named);
}
