using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Arithmetic and concatenation as Python does them.</summary>
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
