using System.Globalization;
using System.Numerics;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// The <c>tojson</c> filter as transformers defines it: json.dumps with ", " and ": " between, nothing escaped for HTML,
/// letters beyond ASCII as they are.
/// </summary>
internal sealed class JsonWriter(Budget budget, bool asciiOnly, string? indent, string itemSeparator, string keySeparator, bool sortKeys)
{
    private readonly TracedStringBuilder _to = new();

    public static TracedString Write(object? value, Arguments arguments, Budget budget)
    {
        var indent = arguments.Get(1, "indent") switch
        {
            null => null,
            TracedString s => s.Text,
            var n => new string(' ', Math.Clamp(Python.ToIndex(n), 0, 100)),
        };
        var (item, key) = (indent is null ? ", " : ",", ": ");
        if (arguments.Get(2, "separators") is PySequence { Items: [TracedString a, TracedString b] })
        {
            (item, key) = (a.Text, b.Text);
        }

        var writer = new JsonWriter(budget, arguments.Flag(0, "ensure_ascii"), indent, item, key, arguments.Flag(3, "sort_keys"));
        writer.Write(value, 0);
        return writer._to.ToTraced();
    }

    private void Write(object? value, int level)
    {
        budget.Enter();
        budget.Step();
        switch (value)
        {
            case TracedString s:
                WriteText(s);
                break;
            case PyDict d:
                WriteContainer('{', '}', d.Count, level, Members(d), member =>
                {
                    WriteText(KeyText(member.Key));
                    _to.Append(keySeparator);
                    Write(member.Value, level + 1);
                });
                break;
            case PyList or PyTuple:
                var items = ((PySequence)value).Items;
                WriteContainer('[', ']', items.Count, level, items, item => Write(item, level + 1));
                break;
            default:
                _to.Append(Scalar(value));
                break;
        }

        budget.Leave();
    }

    private void WriteContainer<T>(char open, char close, int count, int level, IEnumerable<T> items, Action<T> write)
    {
        _to.Append([open]);
        var first = true;
        foreach (var item in items)
        {
            _to.Append(first ? "" : itemSeparator);
            first = false;
            NewLine(level + 1);
            write(item);
        }

        if (count > 0)
        {
            NewLine(level);
        }

        _to.Append([close]);
    }

    private void NewLine(int level)
    {
        if (indent is null)
        {
            return;
        }

        budget.Characters(indent.Length * level);
        _to.Append("\n");
        for (var i = 0; i < level; i++)
        {
            _to.Append(indent);
        }
    }

    private IReadOnlyList<KeyValuePair<object?, object?>> Members(PyDict dict) => sortKeys
        ? Sequences.Sort(dict.Entries, (a, b) => Comparisons.Compare("<", a.Key, b.Key, budget))
        : dict.Entries;

    private static TracedString KeyText(object? key) => key switch
    {
        TracedString s => s,
        null or bool or BigInteger or double => new TracedString(Scalar(key)),
        _ => throw JinjaException.Type($"keys must be str, int, float, bool or None, not {Python.TypeName(key)}"),
    };

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        BigInteger i => i.ToString(CultureInfo.InvariantCulture),
        double d when double.IsNaN(d) => "NaN",
        double d when double.IsInfinity(d) => d > 0 ? "Infinity" : "-Infinity",
        double d => Python.FloatText(d),
        _ => throw JinjaException.Type($"Object of type {Python.TypeName(value)} is not JSON serializable"),
    };

    private void WriteText(TracedString text)
    {
        budget.Characters(text.Text.Length + 2);
        _to.Append("\"");
        _to.Append(text.Map(rune => rune.Value switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\f' => "\\f",
            '\b' => "\\b",
            < 0x20 => $"\\u{rune.Value:x4}",
            > 0x7E when asciiOnly && rune.Value != 0x7F => string.Concat(rune.ToString().Select(c => $"\\u{(int)c:x4}")),
            _ => rune.ToString(),
        }));
        _to.Append("\"");
    }
}
