namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Equality, order and membership as Python has them.</summary>
internal static class Comparisons
{
    public static bool AreEqual(object? a, object? b, Budget budget)
    {
        budget.Step();
        if (Operators.IsNumber(a) && Operators.IsNumber(b))
        {
            return Operators.IsInteger(a) && Operators.IsInteger(b) ? Operators.ToInteger(a) == Operators.ToInteger(b) : Operators.ToFloat(a) == Operators.ToFloat(b);
        }

        switch (a, b)
        {
            case (null, null):
                return true;
            case (TracedString x, TracedString y):
                return x.Text == y.Text;
            case (Undefined, Undefined):
                return true;
            case (PyList, PyList) or (PyTuple, PyTuple) or (PyRange, PyRange):
                var (p, q) = (((PySequence)a).Items, ((PySequence)b).Items);
                if (p.Count != q.Count)
                {
                    return false;
                }

                budget.Enter();
                for (var i = 0; i < p.Count; i++)
                {
                    if (!AreEqual(p[i], q[i], budget))
                    {
                        budget.Leave();
                        return false;
                    }
                }

                budget.Leave();
                return true;
            case (PyDict x, PyDict y):
                budget.Enter();
                var same = x.Count == y.Count && x.Entries.All(e => y.TryGet(e.Key, out var other) && AreEqual(e.Value, other, budget));
                budget.Leave();
                return same;
            default:
                return ReferenceEquals(a, b);
        }
    }

    /// <summary>Less than zero, zero or more, as for sorting. Text compares by code points.</summary>
    public static int Compare(string op, object? a, object? b, Budget budget)
    {
        budget.Step();
        switch (a, b)
        {
            case (Undefined u, _):
                throw u.Error;
            case (_, Undefined u):
                throw u.Error;
            case (TracedString x, TracedString y):
                return CompareText(x.Text, y.Text);
            case (PyList, PyList) or (PyTuple, PyTuple):
                var (p, q) = (((PySequence)a).Items, ((PySequence)b).Items);
                budget.Enter();
                for (var i = 0; i < Math.Min(p.Count, q.Count); i++)
                {
                    if (!AreEqual(p[i], q[i], budget))
                    {
                        budget.Leave();
                        return Compare(op, p[i], q[i], budget);
                    }
                }

                budget.Leave();
                return p.Count.CompareTo(q.Count);
        }

        if (Operators.IsInteger(a) && Operators.IsInteger(b))
        {
            return Operators.ToInteger(a).CompareTo(Operators.ToInteger(b));
        }

        return Operators.IsNumber(a) && Operators.IsNumber(b)
            ? Operators.ToFloat(a).CompareTo(Operators.ToFloat(b))
            : throw JinjaException.Type($"'{op}' not supported between instances of '{Python.TypeName(a)}' and '{Python.TypeName(b)}'");
    }

    public static bool Contains(object? container, object? item, Budget budget)
    {
        switch (container)
        {
            case TracedString text:
                budget.Characters(text.Text.Length / 4);
                return item switch
                {
                    TracedString part => text.Text.Contains(part.Text, StringComparison.Ordinal),
                    Undefined u => throw JinjaException.Type($"'in <string>' requires string as left operand, not {Python.TypeName(u)}"),
                    _ => throw JinjaException.Type($"'in <string>' requires string as left operand, not {Python.TypeName(item)}"),
                };
            case PyDict dict:
                return dict.TryGet(item, out _);
            case PySequence sequence:
                return sequence.Items.Any(i => AreEqual(i, item, budget));
            case Undefined:
                return false;
            default:
                throw JinjaException.Type($"argument of type '{Python.TypeName(container)}' is not iterable");
        }
    }

    private static int CompareText(string a, string b)
    {
        var i = 0;
        while (i < a.Length && i < b.Length && a[i] == b[i])
        {
            i++;
        }

        if (i == a.Length || i == b.Length)
        {
            return a.Length.CompareTo(b.Length);
        }

        // Surrogates stand for code points above all other units.
        var (wideA, wideB) = (char.IsSurrogate(a[i]), char.IsSurrogate(b[i]));
        return wideA != wideB ? wideA.CompareTo(wideB) : a[i].CompareTo(b[i]);
    }
}
