using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Going through values, and indexing and slicing them.</summary>
internal static class Sequences
{
    /// <summary>What a for loop over the value sees.</summary>
    public static IReadOnlyList<object?> Iterate(object? value, Budget budget)
    {
        IReadOnlyList<object?> items = value switch
        {
            PyGenerator g => g.TakeRest(),
            PySequence s => s.Items,
            PyDict d => [.. d.Entries.Select(e => e.Key)],
            TracedString t => Characters(t, budget),
            Undefined => [],
            _ => throw JinjaException.Type($"'{Python.TypeName(value)}' object is not iterable"),
        };
        budget.Elements(items.Count / 4);
        return items;
    }

    public static int Length(object? value) => value switch
    {
        TracedString t => t.CodePoints,
        PyDict d => d.Count,
        Undefined => 0,
        PyGenerator => throw JinjaException.Type("object of type 'generator' has no len()"),
        PySequence s => s.Items.Count,
        _ => throw JinjaException.Type($"object of type '{Python.TypeName(value)}' has no len()"),
    };

    /// <summary>The element at an index, or false where there is none or the value has no elements.</summary>
    public static bool TryIndex(object? owner, object? index, out object? value)
    {
        value = null;
        if (owner is PyDict dict)
        {
            return index is not (PyList or PyDict or Namespace) && dict.TryGet(index, out value);
        }

        if (!Operators.IsInteger(index) || owner is not (TracedString or PySequence) || owner is PyGenerator or PyDictView)
        {
            return false;
        }

        var count = Length(owner);
        var at = Python.ToIndex(index);
        at = at < 0 ? at + count : at;
        if (at < 0 || at >= count)
        {
            return false;
        }

        if (owner is TracedString text)
        {
            var start = text.Utf16Index(at);
            value = text.Slice(start, char.IsHighSurrogate(text.Text[start]) && text.IsWide && start + 1 < text.Text.Length ? 2 : 1);
        }
        else
        {
            value = ((PySequence)owner).Items[at];
        }

        return true;
    }

    public static object? Slice(object? owner, object? start, object? stop, object? step, Budget budget)
    {
        if (owner is not (TracedString or PyList or PyTuple or PyRange))
        {
            return new Undefined($"{Python.DescribeType(owner)} has no element slice({Show(start)}, {Show(stop)}, {Show(step)})");
        }

        var count = Length(owner);
        var by = step is null ? 1 : Python.ToIndex(step);
        if (by == 0)
        {
            throw JinjaException.Type("slice step cannot be zero");
        }

        var (low, high) = by > 0 ? (0, count) : (-1, count - 1);
        var first = Bound(start, by > 0 ? 0 : count - 1);
        var last = Bound(stop, by > 0 ? count : -1);
        if (owner is TracedString text)
        {
            budget.Characters(Math.Abs((long)last - first));
            if (by == 1)
            {
                var from = text.Utf16Index(first);
                return text.Slice(from, text.Utf16Index(Math.Max(first, last)) - from);
            }

            var characters = text.Characters().ToList();
            budget.Elements(characters.Count);
            var result = new TracedStringBuilder();
            for (long i = first; by > 0 ? i < last : i > last; i += by)
            {
                result.Append(characters[(int)i]);
            }

            return result.ToTraced();
        }

        var items = ((PySequence)owner).Items;
        var slice = new List<object?>();
        for (long i = first; by > 0 ? i < last : i > last; i += by)
        {
            slice.Add(items[(int)i]);
        }

        budget.Elements(slice.Count);
        return owner is PyTuple ? new PyTuple(slice) : new PyList(slice);

        int Bound(object? bound, int otherwise)
        {
            if (bound is null)
            {
                return otherwise;
            }

            long at = Python.ToIndex(bound);
            at = at < 0 ? at + count : at;
            return (int)Math.Clamp(at, low, high);
        }

        static string Show(object? value) => Python.ToText(value).Text;
    }

    public static PyRange Range(BigInteger start, BigInteger stop, BigInteger step, Budget budget)
    {
        const int MaxRange = 100_000;
        if (step.IsZero)
        {
            throw JinjaException.Type("range() arg 3 must not be zero");
        }

        var count = step.Sign > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        if (count > MaxRange)
        {
            throw JinjaException.Limit($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");
        }

        budget.Elements(count.Sign < 0 ? 0 : (long)count);
        var items = new List<object?>();
        for (var i = start; step.Sign > 0 ? i < stop : i > stop; i += step)
        {
            items.Add(i);
        }

        return new PyRange(start, stop, step, items);
    }

    /// <summary>A stable sort; errors of the comparison come through as they are.</summary>
    public static List<T> Sort<T>(IReadOnlyList<T> items, Func<T, T, int> compare)
    {
        if (items.Count < 2)
        {
            return [.. items];
        }

        var middle = items.Count / 2;
        var left = Sort([.. items.Take(middle)], compare);
        var right = Sort([.. items.Skip(middle)], compare);
        var result = new List<T>(items.Count);
        int l = 0, r = 0;
        while (l < left.Count || r < right.Count)
        {
            var takeLeft = r == right.Count || (l < left.Count && compare(left[l], right[r]) <= 0);
            result.Add(takeLeft ? left[l++] : right[r++]);
        }

        return result;
    }

    private static List<object?> Characters(TracedString text, Budget budget)
    {
        budget.Elements(text.Text.Length);
        return [.. text.Characters()];
    }
}
