using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Jinja's filters on lists, dicts and strings as sequences.</summary>
internal static class SequenceFilters
{
    public static readonly Dictionary<string, Filters.Function> All = new()
    {
        ["length"] = (v, _, _) => new BigInteger(Sequences.Length(v)),
        ["count"] = (v, _, _) => new BigInteger(Sequences.Length(v)),
        ["list"] = (v, _, b) => new PyList([.. Sequences.Iterate(v, b)]),
        ["first"] = First,
        ["last"] = (v, _, b) => v is PyGenerator ? throw JinjaException.Type("'generator' object is not reversible")
            : Sequences.Iterate(v, b) is { Count: > 0 } items ? items[^1] : new Undefined("No last item, sequence was empty."),
        ["random"] = (v, _, b) => Sequences.Iterate(v, b) is { Count: > 0 } items ? items[0] : new Undefined("No random item, sequence was empty."),
        ["join"] = Join,
        ["reverse"] = (v, _, b) => v is TracedString s ? Sequences.Slice(s, null, null, BigInteger.MinusOne, b) : new PyGenerator([.. Sequences.Iterate(v, b).Reverse()]),
        ["items"] = (v, _, _) => v switch
        {
            Undefined => new PyGenerator([]),
            PyDict d => new PyGenerator(Attributes.Pairs(d)),
            _ => throw JinjaException.Type("Can only get item pairs from a mapping."),
        },
        ["dictsort"] = DictSort,
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["sum"] = Sum,
        ["min"] = (v, a, b) => Extreme(v, a, b, -1),
        ["max"] = (v, a, b) => Extreme(v, a, b, 1),
        ["map"] = Map,
        ["select"] = (v, a, b) => Select(v, a, b, wanted: true, byAttribute: false),
        ["reject"] = (v, a, b) => Select(v, a, b, wanted: false, byAttribute: false),
        ["selectattr"] = (v, a, b) => Select(v, a, b, wanted: true, byAttribute: true),
        ["rejectattr"] = (v, a, b) => Select(v, a, b, wanted: false, byAttribute: true),
        ["batch"] = Batch,
        ["slice"] = Slice,
        ["groupby"] = GroupBy,
    };

    private static object? First(object? value, Arguments arguments, Budget budget)
    {
        if (value is PyGenerator generator)
        {
            var item = generator.TakeOne(out var any);
            return any ? item : new Undefined("No first item, sequence was empty.");
        }

        return Sequences.Iterate(value, budget) is { Count: > 0 } items ? items[0] : new Undefined("No first item, sequence was empty.");
    }

    private static object Join(object? value, Arguments arguments, Budget budget)
    {
        var separator = Python.ToText(arguments.Get(0, "d", TracedString.Empty), budget);
        var attribute = arguments.Get(1, "attribute");
        var items = Sequences.Iterate(value, budget).Select(i => Python.ToText(attribute is null ? i : Lookup(i, attribute, budget), budget));
        return StringMethods.Join(separator, [.. items], budget);
    }

    private static object DictSort(object? value, Arguments arguments, Budget budget)
    {
        if (value is not PyDict dict)
        {
            throw JinjaException.Type($"'{Python.TypeName(value)}' object has no attribute 'items'");
        }

        var caseSensitive = arguments.Flag(0, "case_sensitive");
        var at = arguments.Text(1, "by", "key") == "value" ? 1 : 0;
        return new PyList(SortBy(Attributes.Pairs(dict), pair => ((PyTuple)pair!).Items[at], caseSensitive, arguments.Flag(2, "reverse"), budget));
    }

    private static object Sort(object? value, Arguments arguments, Budget budget) => new PyList(SortBy(
        Sequences.Iterate(value, budget), Key(arguments.Get(2, "attribute"), budget), arguments.Flag(1, "case_sensitive"), arguments.Flag(0, "reverse"), budget));

    private static List<object?> SortBy(IReadOnlyList<object?> items, Func<object?, object?> key, bool caseSensitive, bool reverse, Budget budget)
    {
        var keyed = items.Select(i => (Key: Fold(key(i), caseSensitive), Item: i)).ToList();
        budget.Elements(keyed.Count * 4L);
        return [.. Sequences.Sort(keyed, (a, b) => reverse ? Comparisons.Compare("<", b.Key, a.Key, budget) : Comparisons.Compare("<", a.Key, b.Key, budget)).Select(k => k.Item)];
    }

    private static object Unique(object? value, Arguments arguments, Budget budget)
    {
        var key = Key(arguments.Get(1, "attribute"), budget);
        var caseSensitive = arguments.Flag(0, "case_sensitive");
        return new PyGenerator([.. Sequences.Iterate(value, budget).DistinctBy(i => PyDict.LookupKey(Fold(key(i), caseSensitive)))]);
    }

    private static object? Sum(object? value, Arguments arguments, Budget budget)
    {
        var key = Key(arguments.Get(0, "attribute"), budget);
        var sum = arguments.Get(1, "start", BigInteger.Zero);
        foreach (var item in Sequences.Iterate(value, budget))
        {
            sum = Operators.Apply("+", sum, key(item), budget);
        }

        return sum;
    }

    private static object? Extreme(object? value, Arguments arguments, Budget budget, int sign)
    {
        var items = Sequences.Iterate(value, budget);
        if (items.Count == 0)
        {
            return new Undefined("No aggregated item, sequence was empty.");
        }

        var caseSensitive = arguments.Flag(0, "case_sensitive");
        var key = Key(arguments.Get(1, "attribute"), budget);
        var best = items[0];
        foreach (var item in items.Skip(1))
        {
            if (Comparisons.Compare(sign < 0 ? "<" : ">", Fold(key(item), caseSensitive), Fold(key(best), caseSensitive), budget) * sign > 0)
            {
                best = item;
            }
        }

        return best;
    }

    private static object Map(object? value, Arguments arguments, Budget budget)
    {
        var items = IterateIfTrue(value, budget);
        if (arguments.Positional.Count == 0)
        {
            var attribute = arguments.Get(0, "attribute") ?? throw JinjaException.Type("map requires a filter argument");
            var otherwise = arguments.Get(int.MaxValue, "default");
            return new PyGenerator([.. items.Select(i => Lookup(i, attribute, budget) is var found && found is Undefined && otherwise is not null ? otherwise : found)]);
        }

        var name = Python.ToText(arguments.Positional[0]).Text;
        var rest = arguments.Skip(1);
        return new PyGenerator([.. items.Select(i => Filters.Apply(name, i, rest, budget))]);
    }

    private static object Select(object? value, Arguments arguments, Budget budget, bool wanted, bool byAttribute)
    {
        var key = byAttribute ? Key(arguments.Require(0, "attribute"), budget) : item => item;
        var rest = arguments.Skip(byAttribute ? 1 : 0);
        Func<object?, bool> test = Python.IsTrue;
        if (rest.Positional.Count > 0)
        {
            var name = Python.ToText(rest.Positional[0]).Text;
            var testArguments = rest.Skip(1);
            test = item => TypeTests.Apply(name, item, testArguments, budget);
        }

        return new PyGenerator([.. IterateIfTrue(value, budget).Where(i => test(key(i)) == wanted)]);
    }

    private static object Batch(object? value, Arguments arguments, Budget budget)
    {
        var size = Math.Max(1, arguments.Integer(0, "linecount", 1));
        var batches = Sequences.Iterate(value, budget).Chunk(size).Select(c => c.ToList()).ToList();
        if (arguments.Get(1, "fill_with") is { } fill && batches.Count > 0)
        {
            budget.Elements(size);
            while (batches[^1].Count < size)
            {
                batches[^1].Add(fill);
            }
        }

        return new PyGenerator([.. batches.Select(b => new PyList(b))]);
    }

    private static object Slice(object? value, Arguments arguments, Budget budget)
    {
        var items = Sequences.Iterate(value, budget);
        var count = arguments.Integer(0, "slices", 1);
        if (count < 1)
        {
            throw JinjaException.Type("integer division or modulo by zero");
        }

        budget.Elements(count * 4L);
        var (each, extra) = Math.DivRem(items.Count, count);
        var slices = new List<object?>();
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            var size = each + (i < extra ? 1 : 0);
            var slice = items.Skip(at).Take(size).ToList();
            at += size;
            if (i >= extra && extra > 0 && arguments.Get(1, "fill_with") is { } fill)
            {
                slice.Add(fill);
            }

            slices.Add(new PyList(slice));
        }

        return new PyGenerator(slices);
    }

    private static object GroupBy(object? value, Arguments arguments, Budget budget)
    {
        var attribute = arguments.Require(0, "attribute");
        var otherwise = arguments.Get(1, "default");
        var caseSensitive = arguments.Flag(2, "case_sensitive");
        var groups = new List<object?>();
        var sorted = SortBy(Sequences.Iterate(value, budget), KeyOf, caseSensitive, reverse: false, budget);
        for (var i = 0; i < sorted.Count;)
        {
            var key = Fold(KeyOf(sorted[i]), caseSensitive);
            var members = sorted.Skip(i).TakeWhile(m => Comparisons.AreEqual(Fold(KeyOf(m), caseSensitive), key, budget)).ToList();
            groups.Add(new PyTuple([KeyOf(sorted[i]), new PyList(members)], ["grouper", "list"]));
            i += members.Count;
        }

        return new PyList(groups);

        object? KeyOf(object? item) => Lookup(item, attribute, budget) is var found && found is Undefined && otherwise is not null ? otherwise : found;
    }

    /// <summary>map, select and their kin take whatever is false, such as none, for an empty list.</summary>
    private static IReadOnlyList<object?> IterateIfTrue(object? value, Budget budget) => Python.IsTrue(value) ? Sequences.Iterate(value, budget) : [];

    private static object? Fold(object? key, bool caseSensitive) => key is TracedString s && !caseSensitive ? StringMethods.Lower(s) : key;

    private static Func<object?, object?> Key(object? attribute, Budget budget) => attribute is null ? item => item : item => Lookup(item, attribute, budget);

    /// <summary>An attribute by its name, a dotted path or an index.</summary>
    private static object? Lookup(object? item, object? attribute, Budget budget)
    {
        if (attribute is not TracedString path)
        {
            return Attributes.GetItem(item, attribute, budget);
        }

        foreach (var part in path.Text.Split('.'))
        {
            object? index = part.Length > 0 && part.All(char.IsAsciiDigit) && Python.TryParseInteger(part, 10, out var number) ? number : new TracedString(part);
            item = Attributes.GetItem(item, index, budget);
        }

        return item;
    }
}
