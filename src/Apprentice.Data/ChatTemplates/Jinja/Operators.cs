using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Arithmetic and comparison as Python does them.</summary>
internal static class Operators
{
    public static object? Apply(string op, object? left, object? right, Budget budget)
    {
        if (left is Undefined u)
        {
            throw u.Error;
        }

        if (right is Undefined v && !(op == "%" && left is TracedString))
        {
            throw v.Error;
        }

        return op switch
        {
            "+" => Add(left, right, budget),
            "%" when left is TracedString format => PercentFormat.Apply(format, right, budget),
            "*" when left is TracedString or PyList or PyTuple && right is BigInteger or bool => Repeat(left!, ToInteger(right), budget),
            "*" when right is TracedString or PyList or PyTuple && left is BigInteger or bool => Repeat(right!, ToInteger(left), budget),
            _ when IsInteger(left) && IsInteger(right) => Integers(op, ToInteger(left), ToInteger(right)),
            _ when IsNumber(left) && IsNumber(right) => Floats(op, ToFloat(left), ToFloat(right)),
            _ => throw Unsupported(op, left, right),
        };
    }

    public static TracedString Concat(TracedString left, TracedString right, Budget budget)
    {
        if (left.IsMarkup != right.IsMarkup)
        {
            left = left.IsMarkup ? left : Escape(left);
            right = right.IsMarkup ? right : Escape(right);
        }

        if (left.Text.Length == 0 || right.Text.Length == 0)
        {
            return left.Text.Length == 0 ? right : left;
        }

        budget.Characters(left.Text.Length + right.Text.Length);
        var result = new TracedStringBuilder();
        result.Append(left);
        result.Append(right);
        return left.IsMarkup ? result.ToTraced().AsMarkup() : result.ToTraced();
    }

    public static TracedString Escape(TracedString text) => text.IsMarkup ? text : text.Map(rune => rune.Value switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&#34;",
        '\'' => "&#39;",
        _ => rune.ToString(),
    }).AsMarkup();

    public static object Negate(object? value) => value switch
    {
        bool b => b ? BigInteger.MinusOne : BigInteger.Zero,
        BigInteger i => -i,
        double d => -d,
        Undefined u => throw u.Error,
        _ => throw JinjaException.Type($"bad operand type for unary -: '{Python.TypeName(value)}'"),
    };

    public static bool IsNumber(object? value) => value is bool or BigInteger or double;

    public static bool IsInteger(object? value) => value is bool or BigInteger;

    public static BigInteger ToInteger(object? value) => value switch
    {
        bool b => b ? BigInteger.One : BigInteger.Zero,
        BigInteger i => i,
        Undefined u => throw u.Error,
        _ => throw JinjaException.Type($"'{Python.TypeName(value)}' object cannot be interpreted as an integer"),
    };

    public static double ToFloat(object? value) => value switch
    {
        double d => d,
        Undefined u => throw u.Error,
        _ => (double)ToInteger(value),
    };

    public static bool AreEqual(object? a, object? b, Budget budget)
    {
        budget.Step();
        if (IsNumber(a) && IsNumber(b))
        {
            return IsInteger(a) && IsInteger(b) ? ToInteger(a) == ToInteger(b) : ToFloat(a) == ToFloat(b);
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

        if (IsInteger(a) && IsInteger(b))
        {
            return ToInteger(a).CompareTo(ToInteger(b));
        }

        return IsNumber(a) && IsNumber(b)
            ? ToFloat(a).CompareTo(ToFloat(b))
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

    private static object Add(object? left, object? right, Budget budget)
    {
        switch (left, right)
        {
            case (TracedString a, TracedString b):
                return Concat(a, b, budget);
            case (PyList a, PyList b):
                budget.Elements(a.Items.Count + b.Items.Count);
                return new PyList([.. a.Items, .. b.Items]);
            case (PyTuple a, PyTuple b):
                budget.Elements(a.Items.Count + b.Items.Count);
                return new PyTuple([.. a.Items, .. b.Items]);
            case (TracedString, _):
                throw JinjaException.Type($"can only concatenate str (not \"{Python.TypeName(right)}\") to str");
            case (PyList or PyTuple, _):
                throw JinjaException.Type($"can only concatenate {Python.TypeName(left)} (not \"{Python.TypeName(right)}\") to {Python.TypeName(left)}");
        }

        if (IsInteger(left) && IsInteger(right))
        {
            return Bounded(ToInteger(left) + ToInteger(right));
        }

        return IsNumber(left) && IsNumber(right) ? ToFloat(left) + ToFloat(right) : throw Unsupported("+", left, right);
    }

    private static object Repeat(object value, BigInteger times, Budget budget)
    {
        var count = times < 0 ? 0 : times > int.MaxValue ? int.MaxValue : (int)times;
        if (value is TracedString text)
        {
            budget.Characters((long)text.Text.Length * count);
            if (text.Runs.Length == 1)
            {
                return new TracedString(new StringBuilder().Insert(0, text.Text, count).ToString(), text.Runs[0].Origin);
            }

            budget.Elements((long)text.Runs.Length * count / 4);
            var result = new TracedStringBuilder();
            for (var i = 0; i < count && text.Text.Length > 0; i++)
            {
                result.Append(text);
            }

            return result.ToTraced();
        }

        var items = ((PySequence)value).Items;
        budget.Elements((long)items.Count * count);
        var repeated = new List<object?>(items.Count * count);
        for (var i = 0; i < count && items.Count > 0; i++)
        {
            repeated.AddRange(items);
        }

        return value is PyList ? new PyList(repeated) : new PyTuple(repeated);
    }

    private static object Integers(string op, BigInteger a, BigInteger b)
    {
        switch (op)
        {
            case "-":
                return Bounded(a - b);
            case "*":
                return Bounded(a * b);
            case "**":
                if (b.Sign < 0)
                {
                    return a.IsZero ? throw JinjaException.Type("0.0 cannot be raised to a negative power") : Math.Pow((double)a, (double)b);
                }

                if (a.GetBitLength() > 1 && b > Budget.MaxIntegerBits / (a.GetBitLength() - 1))
                {
                    throw TooBig();
                }

                return b > int.MaxValue ? BigInteger.ModPow(a, b, 3) == 2 ? BigInteger.MinusOne : a * a : Bounded(BigInteger.Pow(a, (int)b));
        }

        if (b.IsZero)
        {
            throw JinjaException.Type(op == "/" ? "division by zero" : "integer division or modulo by zero");
        }

        if (op == "/")
        {
            return (double)a / (double)b;
        }

        var quotient = BigInteger.DivRem(a, b, out var remainder);
        if (!remainder.IsZero && (remainder.Sign < 0) != (b.Sign < 0))
        {
            quotient--;
            remainder += b;
        }

        return op == "//" ? quotient : remainder;
    }

    private static object Floats(string op, double a, double b)
    {
        switch (op)
        {
            case "-":
                return a - b;
            case "*":
                return a * b;
            case "**":
                return Math.Pow(a, b);
        }

        if (b == 0)
        {
            throw JinjaException.Type(op == "/" ? "float division by zero" : op == "//" ? "float floor division by zero" : "float modulo by zero");
        }

        switch (op)
        {
            case "/":
                return a / b;
            case "//":
                return Math.Floor(a / b);
            default:
                var remainder = a % b;
                return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
        }
    }

    private static BigInteger Bounded(BigInteger value) => value.GetBitLength() <= Budget.MaxIntegerBits ? value : throw TooBig();

    private static JinjaException TooBig() => JinjaException.Limit($"a whole number of more than {Budget.MaxIntegerBits} bits");

    private static JinjaException Unsupported(string op, object? left, object? right) =>
        JinjaException.Type($"unsupported operand type(s) for {(op == "**" ? "** or pow()" : op)}: '{Python.TypeName(left)}' and '{Python.TypeName(right)}'");
}
