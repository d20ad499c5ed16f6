using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// <c>a.b</c> and <c>a['b']</c> in Jinja's sandbox: a dot looks for attributes first and then for keys, brackets the other
/// way round; what would change a value, or lead into the interpreter, is not given out.
/// </summary>
internal static class Attributes
{
    private static readonly HashSet<string> ChangesList = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly HashSet<string> ChangesDict = ["clear", "pop", "popitem", "setdefault", "update"];

    public static object? Get(object? owner, string name, Budget budget)
    {
        if (owner is Undefined u)
        {
            throw u.Error;
        }

        if (TryAttribute(owner, name, budget, out var value))
        {
            return value;
        }

        return owner is PyDict dict && dict.TryGet(name, out value) ? value : Undefined.Attribute(owner, name);
    }

    public static object? GetItem(object? owner, object? index, Budget budget)
    {
        if (owner is Undefined u)
        {
            throw u.Error;
        }

        if (Sequences.TryIndex(owner, index, out var value))
        {
            return value;
        }

        if (index is not TracedString name)
        {
            return Undefined.Element(owner, Repr.Of(index, budget).Text);
        }

        return TryAttribute(owner, name.Text, budget, out value) ? value : Undefined.Attribute(owner, name.Text);
    }

    private static bool TryAttribute(object? owner, string name, Budget budget, out object? value)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal))
        {
            value = Unsafe(owner, name);
            return true;
        }

        value = owner switch
        {
            TracedString s => StringMethods.Find(s, name, budget),
            PyDict d => OfDict(d, name),
            PyList l => ChangesList.Contains(name) ? Unsafe(l, name) : OfSequence(l, name, budget),
            PyTuple t when t.Names.IndexOf(name) is >= 0 and var at => t.Items[at],
            PyTuple t => OfSequence(t, name, budget),
            Namespace n => n.Values.TryGetValue(name, out var v) ? v : PyObject.None,
            PyObject o => o.Attribute(name),
            Macro m => OfMacro(m, name),
            BigInteger or bool => name switch
            {
                "real" or "numerator" => Operators.ToInteger(owner),
                "imag" => BigInteger.Zero,
                "denominator" => BigInteger.One,
                _ => PyObject.None,
            },
            double d => name switch
            {
                "real" => d,
                "is_integer" => new PyFunction(name, _ => double.IsInteger(d)),
                _ => PyObject.None,
            },
            _ => PyObject.None,
        };
        return !ReferenceEquals(value, PyObject.None);
    }

    private static int IndexOf(this IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static Undefined Unsafe(object? owner, string name) =>
        new($"access to attribute {Python.Quote(name)} of '{Python.TypeName(owner)}' object is unsafe.", JinjaError.Security);

    private static object? OfDict(PyDict dict, string name) => name switch
    {
        "items" => new PyFunction(name, _ => new PyDictView("dict_items", Pairs(dict))),
        "keys" => new PyFunction(name, _ => new PyDictView("dict_keys", [.. dict.Entries.Select(e => e.Key)])),
        "values" => new PyFunction(name, _ => new PyDictView("dict_values", [.. dict.Entries.Select(e => e.Value)])),
        "get" => new PyFunction(name, a => dict.TryGet(a.Require(0, "key"), out var value) ? value : a.Get(1, "default")),
        "copy" => new PyFunction(name, _ => dict),
        _ => ChangesDict.Contains(name) ? Unsafe(dict, name) : PyObject.None,
    };

    public static List<object?> Pairs(PyDict dict) => [.. dict.Entries.Select(e => new PyTuple([e.Key, e.Value]))];

    private static object? OfSequence(PySequence sequence, string name, Budget budget) => name switch
    {
        "count" => new PyFunction(name, a => new BigInteger(sequence.Items.Count(i => Comparisons.AreEqual(i, a.Require(0, "value"), budget)))),
        "index" => new PyFunction(name, a =>
        {
            var item = a.Require(0, "value");
            for (var i = 0; i < sequence.Items.Count; i++)
            {
                if (Comparisons.AreEqual(sequence.Items[i], item, budget))
                {
                    return new BigInteger(i);
                }
            }

            throw JinjaException.Type($"{Repr.Of(item, budget)} is not in {sequence.TypeName}");
        }),
        "copy" when sequence is PyList => new PyFunction(name, _ => sequence),
        _ => PyObject.None,
    };

    private static object? OfMacro(Macro macro, string name) => name switch
    {
        "name" => new TracedString(macro.Name),
        "arguments" => new PyTuple([.. macro.Parameters.Select(p => new TracedString(p))]),
        _ => PyObject.None,
    };
}
