using System.Globalization;
using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>What values are called, whether they are true, how they print and how numbers are read: as Python has it.</summary>
internal static class Python
{
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        TracedString => "str",
        PyDict => "dict",
        PySequence s => s.TypeName,
        Undefined => "Undefined",
        Namespace => "Namespace",
        Macro => "Macro",
        PyFunction => "builtin_function_or_method",
        PyObject o => o.TypeName,
        _ => value.GetType().Name,
    };

    /// <summary>How Jinja calls an object in the messages of undefined values.</summary>
    public static string DescribeType(object? value) => value switch
    {
        null => "None",
        Namespace => "jinja2.utils.Namespace object",
        Macro => "jinja2.runtime.Macro object",
        PyObject o => $"jinja2.runtime.{o.TypeName} object",
        _ => TypeName(value) + " object",
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        BigInteger i => !i.IsZero,
        double d => d != 0,
        TracedString s => s.Text.Length > 0,
        PyDict d => d.Count > 0,
        PyGenerator => true,
        PySequence s => s.Items.Count > 0,
        _ => true,
    };

    /// <summary>A whole number that a .NET int can hold, for indexes, widths and counts.</summary>
    public static int ToIndex(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        BigInteger i => i > int.MaxValue ? int.MaxValue : i < int.MinValue ? int.MinValue : (int)i,
        Undefined u => throw u.Error,
        _ => throw JinjaException.Type($"'{TypeName(value)}' object cannot be interpreted as an integer"),
    };

    /// <summary>Python's str(value), which keeps the origin of a string.</summary>
    public static TracedString ToText(object? value, Budget? budget = null) => value switch
    {
        TracedString s => s,
        Undefined => TracedString.Empty,
        PyDict or PySequence => Repr.Of(value, budget),
        _ => new TracedString(ToPlainText(value)),
    };

    /// <summary>The text of a value that is no container and no string.</summary>
    public static string ToPlainText(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        BigInteger i => i.ToString(CultureInfo.InvariantCulture),
        double d => FloatText(d),
        Macro m => $"<Macro {Quote(m.Name)}>",
        PyFunction f => $"<built-in method {f.Name}>",
        Undefined => "Undefined",
        _ => $"<{TypeName(value)}>",
    };

    /// <summary>The shortest digits that read back as the same number; an exponent below 1e-4 and from 1e16.</summary>
    public static string FloatText(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        if (value == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        // "E" with R's digits: sign, digits without trailing zeros, and the exponent of the first digit.
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E');
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var point = mantissa.IndexOf('.');
        exponent += (point < 0 ? mantissa.Length : point) - 1;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leadingZeros = digits.Length - digits.TrimStart('0').Length;
        exponent -= leadingZeros;
        digits = digits.Trim('0');
        var sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
        {
            return sign + "0." + new string('0', -exponent - 1) + digits;
        }

        return digits.Length <= exponent + 1
            ? sign + digits.PadRight(exponent + 1, '0') + ".0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>Python's repr of a string: single quotes unless it holds some and no double ones.</summary>
    public static string Quote(string text)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append(QuoteRune(rune, quote));
        }

        return result.Append(quote).ToString();
    }

    public static string QuoteRune(Rune rune, char quote)
    {
        switch (rune.Value)
        {
            case '\n': return "\\n";
            case '\r': return "\\r";
            case '\t': return "\\t";
            case '\\': return "\\\\";
        }

        if (rune.Value == quote)
        {
            return "\\" + quote;
        }

        if (rune.Value == ' ' || IsPrintable(rune))
        {
            return rune.ToString();
        }

        return rune.Value <= 0xFF ? $"\\x{rune.Value:x2}" : rune.Value <= 0xFFFF ? $"\\u{rune.Value:x4}" : $"\\U{rune.Value:x8}";
    }

    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[..end];
    }

    /// <summary>Reads a whole number as int(text, base) does; base 0 means that a prefix such as 0x tells.</summary>
    public static bool TryParseInteger(string text, int numberBase, out BigInteger value)
    {
        value = default;
        text = text.Trim();
        var isNegative = text.StartsWith('-');
        if (text.StartsWith('-') || text.StartsWith('+'))
        {
            text = text[1..];
        }

        var prefixBase = text.Length > 1 && text[0] == '0' ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefixBase != 0 && (numberBase == 0 || numberBase == prefixBase))
        {
            text = text[2..];
            numberBase = prefixBase;
        }

        numberBase = numberBase == 0 ? 10 : numberBase;
        text = text.Replace("_", "", StringComparison.Ordinal);
        if (text.Length is 0 or > 1000 || numberBase is < 2 or > 36)
        {
            return false;
        }

        foreach (var c in text)
        {
            var digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : 99;
            if (digit >= numberBase)
            {
                return false;
            }

            value = (value * numberBase) + digit;
        }

        value = isNegative ? -value : value;
        return true;
    }

    public static bool TryParseFloat(string text, out double value)
    {
        text = text.Trim().ToLowerInvariant();
        var bare = text.TrimStart('+', '-');
        if (bare is "inf" or "infinity" or "nan")
        {
            value = bare == "nan" ? double.NaN : text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && !text.Contains('∞');
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or
        UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
