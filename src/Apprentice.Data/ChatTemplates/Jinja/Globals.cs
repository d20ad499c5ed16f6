using System.Globalization;
using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>The functions that Jinja gives every template, and the two that transformers adds.</summary>
internal static class Globals
{
    public static Dictionary<string, object?> Create(Budget budget, DateTimeOffset now) => new[]
    {
        new PyFunction("range", a => a.Positional.Count switch
        {
            1 => Sequences.Range(0, Operators.ToInteger(a.Positional[0]), 1, budget),
            2 or 3 => Sequences.Range(Operators.ToInteger(a.Positional[0]), Operators.ToInteger(a.Positional[1]), Operators.ToInteger(a.Get(2, "step", BigInteger.One)), budget),
            _ => throw JinjaException.Type($"range expected 1 to 3 arguments, got {a.Positional.Count}"),
        }),
        new PyFunction("dict", a => Dict(a, budget)),
        new PyFunction("namespace", a =>
        {
            var result = new Namespace();
            foreach (var (name, value) in a.Positional.OfType<PyDict>().SelectMany(d => d.Entries).Select(e => (Python.ToText(e.Key).Text, e.Value)).Concat(a.Named.Select(n => (n.Key, n.Value))))
            {
                result.Set(name, value);
            }

            return result;
        }),
        new PyFunction("cycler", Cycler),
        new PyFunction("joiner", a =>
        {
            var used = false;
            return new PyFunction("joiner", _ =>
            {
                var first = !used;
                used = true;
                return first ? TracedString.Empty : a.Get(0, "sep", new TracedString(", "));
            });
        }),
        new PyFunction("lipsum", _ => throw JinjaException.Type("lipsum makes random text, which no chat template needs")),
        new PyFunction("raise_exception", a => throw new JinjaException(JinjaError.Raised, Python.ToText(a.Require(0, "message")).Text)),
        new PyFunction("strftime_now", a => new TracedString(FormatTime(Python.ToText(a.Require(0, "format")).Text, now, budget))),
    }.ToDictionary(f => f.Name, object? (f) => f);

    private static PyDict Dict(Arguments arguments, Budget budget)
    {
        var result = new PyDict();
        if (arguments.Positional.Count > 0 && arguments.Positional[0] is PyDict other)
        {
            foreach (var (key, value) in other.Entries)
            {
                result.Set(key, value);
            }
        }
        else if (arguments.Positional.Count > 0)
        {
            foreach (var item in Sequences.Iterate(arguments.Positional[0], budget))
            {
                var pair = Sequences.Iterate(item, budget);
                if (pair.Count != 2)
                {
                    throw JinjaException.Type($"dictionary update sequence element has length {pair.Count}; 2 is required");
                }

                result.Set(pair[0], pair[1]);
            }
        }

        foreach (var (name, value) in arguments.Named)
        {
            result.Set(new TracedString(name), value);
        }

        budget.Elements(result.Count * 4L);
        return result;
    }

    private static PyObject Cycler(Arguments arguments)
    {
        var items = arguments.Positional;
        if (items.Count == 0)
        {
            throw JinjaException.Type("at least one item has to be provided");
        }

        var at = 0;
        return new PyObject("Cycler", name => name switch
        {
            "current" => items[at],
            "next" => new PyFunction(name, _ =>
            {
                var item = items[at];
                at = (at + 1) % items.Count;
                return item;
            }),
            "reset" => new PyFunction(name, _ => at = 0),
            _ => PyObject.None,
        });
    }

    /// <summary>C's strftime in its English locale; a directive that is not known stays as it is.</summary>
    private static string FormatTime(string format, DateTimeOffset now, Budget budget)
    {
        budget.Characters(format.Length * 12L);
        var invariant = CultureInfo.InvariantCulture;
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }

            i++;
            var withoutZero = format[i] == '-' && i + 1 < format.Length;
            i += withoutZero ? 1 : 0;
            var text = format[i] switch
            {
                'a' => now.ToString("ddd", invariant),
                'A' => now.ToString("dddd", invariant),
                'b' or 'h' => now.ToString("MMM", invariant),
                'B' => now.ToString("MMMM", invariant),
                'c' => now.ToString("ddd MMM ", invariant) + now.Day.ToString(invariant).PadLeft(2) + now.ToString(" HH:mm:ss yyyy", invariant),
                'd' => now.ToString("dd", invariant),
                'D' or 'x' => now.ToString("MM/dd/yy", invariant),
                'e' => now.Day.ToString(invariant).PadLeft(2),
                'F' => now.ToString("yyyy-MM-dd", invariant),
                'f' => now.ToString("ffffff", invariant),
                'H' => now.ToString("HH", invariant),
                'I' => now.ToString("hh", invariant),
                'j' => now.DayOfYear.ToString("000", invariant),
                'm' => now.ToString("MM", invariant),
                'M' => now.ToString("mm", invariant),
                'n' => "\n",
                'p' => now.ToString("tt", invariant),
                'R' => now.ToString("HH:mm", invariant),
                's' => now.ToUnixTimeSeconds().ToString(invariant),
                'S' => now.ToString("ss", invariant),
                't' => "\t",
                'T' or 'X' => now.ToString("HH:mm:ss", invariant),
                'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(invariant),
                'w' => ((int)now.DayOfWeek).ToString(invariant),
                'U' => ((now.DayOfYear + 6 - (int)now.DayOfWeek) / 7).ToString("00", invariant),
                'W' => ((now.DayOfYear + 6 - (((int)now.DayOfWeek + 6) % 7)) / 7).ToString("00", invariant),
                'G' => ISOWeek.GetYear(now.DateTime).ToString("0000", invariant),
                'V' => ISOWeek.GetWeekOfYear(now.DateTime).ToString("00", invariant),
                'y' => now.ToString("yy", invariant),
                'Y' => now.ToString("yyyy", invariant),
                'z' or 'Z' => "",
                '%' => "%",
                _ => "%" + format[i],
            };
            result.Append(withoutZero ? text.TrimStart('0') is { Length: > 0 } short_ ? short_ : "0" : text);
        }

        return result.ToString();
    }
}
