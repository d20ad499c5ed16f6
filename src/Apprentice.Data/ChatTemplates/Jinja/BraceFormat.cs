using System.Globalization;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Python's <c>'{} {name} {0[key]:&gt;8.2f}'.format(…)</c>.</summary>
internal static class BraceFormat
{
    public static TracedString Apply(TracedString format, Arguments arguments, Budget budget)
    {
        var result = new TracedStringBuilder();
        var text = format.Text;
        var automatic = 0;
        for (var i = 0; i < text.Length;)
        {
            var brace = text.AsSpan(i).IndexOfAny('{', '}');
            if (brace < 0)
            {
                result.Append(format.SliceFrom(i));
                break;
            }

            result.Append(format.Slice(i, brace));
            i += brace;
            if (i + 1 < text.Length && text[i + 1] == text[i])
            {
                result.Append(format.Slice(i, 1));
                i += 2;
                continue;
            }

            var close = text.IndexOf('}', i);
            if (text[i] == '}' || close < 0)
            {
                throw JinjaException.Type($"Single '{text[i]}' encountered in format string");
            }

            var field = text[(i + 1)..close];
            i = close + 1;
            var colon = field.IndexOf(':');
            var specification = colon < 0 ? "" : field[(colon + 1)..];
            field = colon < 0 ? field : field[..colon];
            var isRepr = field.EndsWith("!r", StringComparison.Ordinal);
            field = isRepr || field.EndsWith("!s", StringComparison.Ordinal) ? field[..^2] : field;
            var value = Lookup(field, arguments, ref automatic, budget);
            Write(result, value, isRepr, specification, budget);
        }

        return result.ToTraced();
    }

    private static object? Lookup(string field, Arguments arguments, ref int automatic, Budget budget)
    {
        var end = field.AsSpan().IndexOfAny('.', '[');
        var name = end < 0 ? field : field[..end];
        var path = end < 0 ? "" : field[end..];
        object? value;
        if (name.Length == 0 || int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            var index = name.Length == 0 ? automatic++ : int.Parse(name, CultureInfo.InvariantCulture);
            value = index < arguments.Positional.Count
                ? arguments.Positional[index]
                : throw JinjaException.Type($"Replacement index {index} out of range for positional args tuple");
        }
        else
        {
            value = arguments.Named.Any(n => n.Key == name) ? arguments.Get(int.MaxValue, name) : throw JinjaException.Type($"KeyError: {Python.Quote(name)}");
        }

        while (path.Length > 0)
        {
            var isItem = path[0] == '[';
            var stop = isItem ? path.IndexOf(']') : path.AsSpan(1).IndexOfAny('.', '[') is >= 0 and var s ? s + 1 : path.Length;
            if (stop < 1)
            {
                throw JinjaException.Type("expected '}' before end of string");
            }

            var key = path[1..stop];
            path = path[(isItem ? stop + 1 : stop)..];
            object? index = Python.TryParseInteger(key, 10, out var number) ? number : new TracedString(key);
            value = isItem ? Attributes.GetItem(value, index, budget) : Attributes.Get(value, key, budget);
        }

        return value;
    }

    /// <summary>[[fill]align][sign][0][width][.precision][type], the part of the format language that text and numbers share.</summary>
    private static void Write(TracedStringBuilder to, object? value, bool isRepr, string specification, Budget budget)
    {
        var fill = ' ';
        var align = '\0';
        var at = 0;
        if (specification.Length > 1 && specification[1] is '<' or '>' or '^' or '=')
        {
            (fill, align, at) = (specification[0], specification[1], 2);
        }
        else if (specification.Length > 0 && specification[0] is '<' or '>' or '^' or '=')
        {
            (align, at) = (specification[0], 1);
        }

        var rest = specification[at..];
        var isNumber = Operators.IsNumber(value) && !isRepr;
        var hasComma = rest.Contains(',');
        if (!isNumber || hasComma || rest.Length == 0)
        {
            var shown = isRepr ? Repr.Of(value, budget) : hasComma && isNumber ? new TracedString(Grouped(value, rest)) : Python.ToText(value, budget);
            rest = hasComma ? rest[..rest.IndexOf(',')] : rest.TrimEnd('s', 'd');
            var width = WidthOf(rest, out var precision);
            shown = precision >= 0 && precision < shown.CodePoints && !isNumber ? shown.Slice(0, shown.Utf16Index(precision)) : shown;
            Align(to, shown, width, fill, align == '\0' ? isNumber ? '>' : '<' : align, budget);
            return;
        }

        if (rest.StartsWith('0') && align == '\0')
        {
            (fill, align) = ('0', '=');
        }

        var type = char.IsAsciiLetter(rest[^1]) || rest[^1] == '%' ? rest[^1] : '\0';
        var total = WidthOf(type == '\0' ? rest : rest[..^1], out var digits);
        var sign = rest.Contains('+') ? "+" : "";
        var code = type == '\0' ? value is double ? digits >= 0 ? 'g' : 's' : 'd' : type;
        var body = code switch
        {
            '%' => new TracedString(PercentFormat.FormatFloat('f', Operators.ToFloat(value) * 100, digits) + "%"),
            'n' => Python.ToText(value),
            'b' => new TracedString(PercentFormat.InBase(Operators.ToInteger(value), 2, upper: false)),
            _ => PercentFormat.Apply(new TracedString($"%{sign}{(digits >= 0 ? "." + digits : "")}{code}"), new PyTuple([value]), budget),
        };
        Align(to, body, total, fill, align == '\0' ? '>' : align, budget);
    }

    private static string Grouped(object? value, string rest)
    {
        var precision = rest.IndexOf('.') is >= 0 and var dot && int.TryParse(rest[(dot + 1)..].TrimEnd('f'), CultureInfo.InvariantCulture, out var p) ? Math.Clamp(p, 0, 100) : value is double ? 6 : 0;
        return value is double d ? d.ToString("N" + precision, CultureInfo.InvariantCulture) : Operators.ToInteger(value).ToString("N0", CultureInfo.InvariantCulture);
    }

    private static int WidthOf(string rest, out int precision)
    {
        rest = rest.TrimStart('+', '-', ' ', '#');
        var dot = rest.IndexOf('.');
        precision = dot < 0 ? -1 : Parse(rest[(dot + 1)..]);
        return Parse(dot < 0 ? rest : rest[..dot]);

        static int Parse(string digits) => digits.Length == 0 ? 0
            : int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= 10_000 ? n
            : throw JinjaException.Type("Invalid format specifier");
    }

    private static void Align(TracedStringBuilder to, TracedString shown, int width, char fill, char align, Budget budget)
    {
        var missing = Math.Max(0, width - shown.CodePoints);
        budget.Characters(missing + shown.Text.Length);
        var sign = align == '=' && shown.Text.Length > 0 && shown.Text[0] is '-' or '+' ? 1 : 0;
        var before = align switch { '<' => 0, '^' => missing / 2, _ => missing };
        to.Append(shown.Slice(0, sign));
        to.Append(new string(fill, before));
        to.Append(shown.SliceFrom(sign));
        to.Append(new string(fill, missing - before));
    }
}
