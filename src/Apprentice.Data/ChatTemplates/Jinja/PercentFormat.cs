using System.Globalization;
using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Python's <c>'%s and %05.2f' % values</c>.</summary>
internal static class PercentFormat
{
    private const int MaxWidth = 10_000;

    public static TracedString Apply(TracedString format, object? values, Budget budget)
    {
        IReadOnlyList<object?> items = values is PyTuple t ? t.Items : [values];
        var result = new TracedStringBuilder();
        var next = 0;
        var text = format.Text;
        for (var i = 0; i < text.Length;)
        {
            var percent = text.IndexOf('%', i);
            if (percent < 0)
            {
                result.Append(format.SliceFrom(i));
                break;
            }

            result.Append(format.Slice(i, percent - i));
            i = percent + 1;
            string? key = null;
            if (i < text.Length && text[i] == '(' && text.IndexOf(')', i) is >= 0 and var close)
            {
                key = text[(i + 1)..close];
                i = close + 1;
            }

            var flags = Take(text, ref i, "-+ #0");
            var width = Number(text, ref i);
            var precision = -1;
            if (i < text.Length && text[i] == '.')
            {
                i++;
                precision = Number(text, ref i);
            }

            if (i >= text.Length)
            {
                throw JinjaException.Type("incomplete format");
            }

            var type = text[i++];
            if (type == '%')
            {
                result.Append("%");
                continue;
            }

            object? value;
            if (key is not null)
            {
                value = values is PyDict d && d.TryGet(key, out var found) ? found : throw JinjaException.Type($"KeyError: {Python.Quote(key)}");
            }
            else if (next < items.Count)
            {
                value = items[next++];
            }
            else
            {
                throw JinjaException.Type("not enough arguments for format string");
            }

            Pad(result, Convert(type, value, precision, flags, budget), width, flags, budget, type);
        }

        if (next < items.Count && values is not PyDict)
        {
            throw JinjaException.Type("not all arguments converted during string formatting");
        }

        return result.ToTraced();
    }

    /// <summary>A number as C's printf shows it, without padding.</summary>
    public static string FormatFloat(char type, double value, int precision)
    {
        precision = precision < 0 ? 6 : Math.Min(precision, 300);
        if (!double.IsFinite(value))
        {
            return Python.FloatText(value);
        }

        if (type is 'g' or 'G')
        {
            precision = Math.Max(precision, 1);
            var exponent = value == 0 ? 0 : int.Parse(value.ToString("E" + (precision - 1), CultureInfo.InvariantCulture).Split('E')[1], CultureInfo.InvariantCulture);
            var shown = exponent < -4 || exponent >= precision ? FormatFloat('e', value, precision - 1) : FormatFloat('f', value, precision - 1 - exponent);
            var parts = shown.Split('e');
            parts[0] = parts[0].Contains('.') ? parts[0].TrimEnd('0').TrimEnd('.') : parts[0];
            return string.Join('e', parts);
        }

        return type is 'e' or 'E'
            ? value.ToString("0." + new string('0', precision) + "e+00", CultureInfo.InvariantCulture)
            : value.ToString("F" + precision, CultureInfo.InvariantCulture);
    }

    private static TracedString Convert(char type, object? value, int precision, string flags, Budget budget)
    {
        switch (type)
        {
            case 's':
            case 'r':
            case 'a':
                var shown = type == 's' ? Python.ToText(value, budget) : Repr.Of(value, budget);
                return precision >= 0 && precision < shown.CodePoints ? shown.Slice(0, shown.Utf16Index(precision)) : shown;
            case 'c':
                return value is TracedString c ? c : new TracedString(char.ConvertFromUtf32(Math.Clamp(Python.ToIndex(value), 0, 0xD7FF)));
            case 'd' or 'i' or 'u' when Operators.IsNumber(value):
                var whole = value is double real ? new BigInteger(Math.Truncate(real)) : Operators.ToInteger(value);
                return Signed(BigInteger.Abs(whole).ToString(CultureInfo.InvariantCulture), whole.Sign < 0, flags);
            case 'x' or 'X' or 'o' when Operators.IsInteger(value):
                var number = Operators.ToInteger(value);
                return Signed(InBase(BigInteger.Abs(number), type == 'o' ? 8 : 16, type == 'X'), number.Sign < 0, flags);
            case 'f' or 'F' or 'e' or 'E' or 'g' or 'G' when Operators.IsNumber(value):
                var d = Operators.ToFloat(value);
                return Signed(FormatFloat(type, Math.Abs(d), precision), d < 0, flags);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o' or 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                throw JinjaException.Type($"%{type} format: a real number is required, not {Python.TypeName(value)}");
            default:
                throw JinjaException.Type($"unsupported format character '{type}'");
        }
    }

    public static string InBase(BigInteger value, int numberBase, bool upper)
    {
        if (value.IsZero)
        {
            return "0";
        }

        var digits = new Stack<char>();
        for (; !value.IsZero; value /= numberBase)
        {
            var digit = (int)(value % numberBase);
            digits.Push((char)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10));
        }

        return new string([.. digits]);
    }

    private static TracedString Signed(string digits, bool isNegative, string flags) =>
        new((isNegative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "") + digits);

    private static void Pad(TracedStringBuilder to, TracedString shown, int width, string flags, Budget budget, char type)
    {
        var missing = Math.Max(0, width - shown.CodePoints);
        budget.Characters(missing + shown.Text.Length);
        if (flags.Contains('-'))
        {
            to.Append(shown);
            to.Append(new string(' ', missing));
        }
        else if (flags.Contains('0') && type is not ('s' or 'r' or 'a' or 'c'))
        {
            var sign = shown.Text.Length > 0 && shown.Text[0] is '-' or '+' or ' ' ? 1 : 0;
            to.Append(shown.Slice(0, sign));
            to.Append(new string('0', missing));
            to.Append(shown.SliceFrom(sign));
        }
        else
        {
            to.Append(new string(' ', missing));
            to.Append(shown);
        }
    }

    private static string Take(string text, ref int at, string allowed)
    {
        var start = at;
        while (at < text.Length && allowed.Contains(text[at]))
        {
            at++;
        }

        return text[start..at];
    }

    private static int Number(string text, ref int at)
    {
        var digits = Take(text, ref at, "0123456789");
        if (digits.Length == 0)
        {
            return 0;
        }

        return int.TryParse(digits, CultureInfo.InvariantCulture, out var number) && number <= MaxWidth
            ? number
            : throw JinjaException.Limit($"a width of more than {MaxWidth}");
    }
}
