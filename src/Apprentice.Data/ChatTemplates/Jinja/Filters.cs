using System.Globalization;
using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Jinja's filters on single values; those on sequences are in <see cref="SequenceFilters"/>.</summary>
internal static class Filters
{
    public delegate object? Function(object? value, Arguments arguments, Budget budget);

    private static readonly Dictionary<string, Function> All = new(SequenceFilters.All)
    {
        ["default"] = Default,
        ["d"] = Default,
        ["tojson"] = (v, a, b) => JsonWriter.Write(v, a, b),
        ["string"] = (v, _, b) => Python.ToText(v, b),
        ["safe"] = (v, _, b) => Python.ToText(v, b).AsMarkup(),
        ["escape"] = (v, _, b) => Operators.Escape(Text(v, b)),
        ["e"] = (v, _, b) => Operators.Escape(Text(v, b)),
        ["forceescape"] = (v, _, b) => Operators.Escape(new TracedString(Text(v, b).Text)),
        ["trim"] = (v, a, b) => StringMethods.Strip(Text(v, b), a.Get(0, "chars")),
        ["upper"] = (v, _, b) => StringMethods.Upper(Text(v, b)),
        ["lower"] = (v, _, b) => StringMethods.Lower(Text(v, b)),
        ["capitalize"] = (v, _, b) => StringMethods.Capitalize(Text(v, b)),
        ["title"] = (v, _, b) => Title(Text(v, b)),
        ["replace"] = (v, a, b) => StringMethods.Replace(Text(v, b), Text(a.Require(0, "old"), b), Text(a.Require(1, "new"), b), a.Integer(2, "count", -1), b),
        ["indent"] = Indent,
        ["center"] = (v, a, b) => ((PyFunction)StringMethods.Find(Text(v, b), "center", b)).Call(new Arguments([new BigInteger(a.Integer(0, "width", 80))])),
        ["truncate"] = Truncate,
        ["wordcount"] = (v, _, b) => new BigInteger(Text(v, b).Text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries).Length),
        ["striptags"] = (v, _, b) => StripTags(Text(v, b)),
        ["urlencode"] = (v, _, b) => UrlEncode(Text(v, b)),
        ["format"] = (v, a, b) => PercentFormat.Apply(Text(v, b), a.Named.Count > 0 ? DictOf(a.Named) : new PyTuple(a.Positional), b),
        ["int"] = ToInteger,
        ["float"] = ToFloat,
        ["abs"] = (v, _, _) => v is double d ? Math.Abs(d) : BigInteger.Abs(Operators.ToInteger(v)),
        ["round"] = Round,
        ["attr"] = (v, a, b) => Attr(v, Text(a.Require(0, "name"), b).Text, b),
        ["pprint"] = (v, _, b) => Repr.Of(v, b),
    };

    public static bool Exists(string name) => All.ContainsKey(name);

    public static object? Apply(string name, object? value, Arguments arguments, Budget budget)
    {
        if (!All.TryGetValue(name, out var filter))
        {
            throw new JinjaException(JinjaError.Syntax, $"No filter named {Python.Quote(name)}.");
        }

        budget.Characters(value is TracedString s ? s.Text.Length : 1);
        return filter(value, arguments, budget);
    }

    public static TracedString Text(object? value, Budget budget) => Python.ToText(value, budget);

    private static object? Default(object? value, Arguments arguments, Budget budget) =>
        value is Undefined || (arguments.Flag(1, "boolean") && !Python.IsTrue(value)) ? arguments.Get(0, "default_value", TracedString.Empty) : value;

    /// <summary>Like getattr alone: methods, but no keys.</summary>
    private static object? Attr(object? value, string name, Budget budget) =>
        Attributes.Get(value is PyDict ? new PyDict() : value, name, budget) is var found && found is Undefined ? Undefined.Attribute(value, name)
        : value is PyDict ? Attributes.Get(value, name, budget) : found;

    private static PyDict DictOf(IEnumerable<KeyValuePair<string, object?>> named)
    {
        var dict = new PyDict();
        foreach (var (name, value) in named)
        {
            dict.Set(new TracedString(name), value);
        }

        return dict;
    }

    /// <summary>Words begin after white space, hyphens and opening brackets.</summary>
    private static TracedString Title(TracedString text)
    {
        var atStart = true;
        return text.Map(rune =>
        {
            var result = atStart ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune);
            atStart = rune.IsBmp && (Python.IsSpace((char)rune.Value) || rune.Value is '-' or '(' or '{' or '[' or '<');
            return result.ToString();
        });
    }

    private static object Indent(object? value, Arguments arguments, Budget budget)
    {
        var text = Text(value, budget);
        var indentation = arguments.Get(0, "width") switch
        {
            null => "    ",
            TracedString s => s.Text,
            var width => new string(' ', Math.Clamp(Python.ToIndex(width), 0, 1000)),
        };
        var indentFirst = arguments.Flag(1, "first");
        var indentBlank = arguments.Flag(2, "blank");
        var result = new TracedStringBuilder();
        var start = 0;
        while (start <= text.Text.Length)
        {
            var end = text.Text.IndexOf('\n', start);
            end = end < 0 ? text.Text.Length : end;
            var isBlank = text.Text.AsSpan(start, end - start).Length == 0;
            if (start == 0 ? indentFirst : indentBlank || !isBlank)
            {
                budget.Characters(indentation.Length);
                result.Append(indentation);
            }

            result.Append(text.Slice(start, Math.Min(end + 1, text.Text.Length) - start));
            start = end + 1;
        }

        return result.ToTraced();
    }

    private static object Truncate(object? value, Arguments arguments, Budget budget)
    {
        var text = Text(value, budget);
        var length = arguments.Integer(0, "length", 255);
        var end = arguments.Text(2, "end", "...");
        var leeway = arguments.Integer(3, "leeway", 5);
        if (text.CodePoints <= (long)length + leeway)
        {
            return text;
        }

        var kept = text.Slice(0, text.Utf16Index(Math.Max(0, length - end.Length)));
        if (!arguments.Flag(1, "killwords") && kept.Text.LastIndexOf(' ') is >= 0 and var space)
        {
            kept = kept.Slice(0, space);
        }

        return Operators.Concat(kept, new TracedString(end), budget);
    }

    private static TracedString StripTags(TracedString text)
    {
        var result = new TracedStringBuilder();
        for (var at = 0; at < text.Text.Length;)
        {
            var open = text.Text.IndexOf('<', at);
            var close = open < 0 ? -1 : text.Text.IndexOf('>', open);
            result.Append(text.Slice(at, (close < 0 ? text.Text.Length : open) - at));
            at = close < 0 ? text.Text.Length : close + 1;
        }

        // White space runs become one blank.
        var spaced = result.ToTraced();
        var pending = false;
        return StringMethods.Strip(spaced, null).Map(rune =>
        {
            if (rune.IsBmp && Python.IsSpace((char)rune.Value))
            {
                pending = true;
                return "";
            }

            var shown = (pending ? " " : "") + rune;
            pending = false;
            return shown;
        });
    }

    private static TracedString UrlEncode(TracedString text) => text.Map(rune =>
    {
        if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || "_.-~/".Contains((char)rune.Value)))
        {
            return rune.ToString();
        }

        Span<byte> utf8 = stackalloc byte[4];
        var count = rune.EncodeToUtf8(utf8);
        var shown = new StringBuilder();
        foreach (var b in utf8[..count])
        {
            shown.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return shown.ToString();
    });

    private static object? ToInteger(object? value, Arguments arguments, Budget budget)
    {
        switch (value)
        {
            case Undefined u:
                throw u.Error;
            case bool or BigInteger:
                return Operators.ToInteger(value);
            case double d when double.IsFinite(d):
                return new BigInteger(Math.Truncate(d));
            case TracedString s when Python.TryParseInteger(s.Text, arguments.Integer(1, "base", 10), out var whole):
                return whole;
            case TracedString s when Python.TryParseFloat(s.Text, out var real) && double.IsFinite(real):
                return new BigInteger(Math.Truncate(real));
            default:
                return arguments.Get(0, "default", BigInteger.Zero);
        }
    }

    private static object? ToFloat(object? value, Arguments arguments, Budget budget) => value switch
    {
        Undefined u => throw u.Error,
        bool or BigInteger or double => Operators.ToFloat(value),
        TracedString s when Python.TryParseFloat(s.Text, out var real) => real,
        _ => arguments.Get(0, "default", 0.0),
    };

    private static object Round(object? value, Arguments arguments, Budget budget)
    {
        var precision = Math.Clamp(arguments.Integer(0, "precision", 0), -15, 15);
        var method = arguments.Text(1, "method", "common");
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw JinjaException.Type("method must be common, ceil or floor");
        }

        if (method == "common" && Operators.IsInteger(value) && precision >= 0)
        {
            return Operators.ToInteger(value);
        }

        var number = Operators.ToFloat(value);
        var scale = Math.Pow(10, precision);
        return method switch
        {
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ when precision < 0 => Math.Round(number * scale, MidpointRounding.ToEven) / scale,
            _ when !double.IsFinite(number) => number,
            // By decimal digits, as Python does: 2.675 is a little less than it looks.
            _ => double.Parse(number.ToString("F" + precision, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) is var rounded && precision == 0
                ? Math.Round(number, MidpointRounding.ToEven)
                : rounded,
        };
    }
}
