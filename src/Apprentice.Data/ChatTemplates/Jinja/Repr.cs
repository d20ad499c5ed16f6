namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Python's repr of containers; strings inside them keep their origin.</summary>
internal static class Repr
{
    public static TracedString Of(object? value, Budget? budget)
    {
        var result = new TracedStringBuilder();
        Write(value, result, budget ?? new Budget(Budget.For(0)));
        return result.ToTraced();
    }

    private static void Write(object? value, TracedStringBuilder to, Budget budget)
    {
        budget.Enter();
        budget.Step();
        switch (value)
        {
            case TracedString s:
                var quote = s.Text.Contains('\'') && !s.Text.Contains('"') ? "\"" : "'";
                budget.Characters(s.Text.Length);
                to.Append(quote);
                to.Append(s.Map(rune => Python.QuoteRune(rune, quote[0])));
                to.Append(quote);
                break;
            case PyDict d:
                to.Append("{");
                for (var i = 0; i < d.Count; i++)
                {
                    to.Append(i == 0 ? "" : ", ");
                    Write(d.Entries[i].Key, to, budget);
                    to.Append(": ");
                    Write(d.Entries[i].Value, to, budget);
                }

                to.Append("}");
                break;
            case PyTuple t:
                WriteItems("(", t, t.Items.Count == 1 ? ",)" : ")", to, budget);
                break;
            case PyList l:
                WriteItems("[", l, "]", to, budget);
                break;
            case PyDictView v:
                WriteItems(v.TypeName + "([", v, "])", to, budget);
                break;
            case PyRange r:
                to.Append(r.ToString());
                break;
            case PyGenerator:
                to.Append("<generator object>");
                break;
            default:
                var text = Python.ToPlainText(value);
                budget.Characters(text.Length);
                to.Append(text);
                break;
        }

        budget.Leave();
    }

    private static void WriteItems(string open, PySequence items, string close, TracedStringBuilder to, Budget budget)
    {
        to.Append(open);
        for (var i = 0; i < items.Items.Count; i++)
        {
            to.Append(i == 0 ? "" : ", ");
            Write(items.Items[i], to, budget);
        }

        to.Append(close);
    }
}
