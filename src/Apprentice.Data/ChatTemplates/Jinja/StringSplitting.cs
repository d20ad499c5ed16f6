namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>split, splitlines and partition of Python's str; the parts keep their origin.</summary>
internal static class StringSplitting
{
    public static PyList Split(TracedString s, object? separator, int limit, bool fromEnd, Budget budget)
    {
        var parts = separator switch
        {
            null => SplitAtSpace(s, limit, fromEnd),
            TracedString { Text.Length: > 0 } t => SplitAt(s, t.Text, limit, fromEnd),
            TracedString => throw JinjaException.Type("empty separator"),
            _ => throw JinjaException.Type($"must be str or None, not {Python.TypeName(separator)}"),
        };
        budget.Elements(parts.Count * 2L);
        return new PyList(parts);
    }

    private static List<object?> SplitAt(TracedString s, string separator, int limit, bool fromEnd)
    {
        var parts = new List<object?>();
        if (!fromEnd)
        {
            var at = 0;
            while (limit-- != 0 && s.Text.IndexOf(separator, at, StringComparison.Ordinal) is >= 0 and var next)
            {
                parts.Add(s.Slice(at, next - at));
                at = next + separator.Length;
            }

            parts.Add(s.SliceFrom(at));
            return parts;
        }

        var end = s.Text.Length;
        while (limit-- != 0 && end >= separator.Length && s.Text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var next)
        {
            parts.Add(s.Slice(next + separator.Length, end - next - separator.Length));
            end = next;
        }

        parts.Add(s.Slice(0, end));
        parts.Reverse();
        return parts;
    }

    private static List<object?> SplitAtSpace(TracedString s, int limit, bool fromEnd)
    {
        var (low, high) = (0, s.Text.Length);
        var parts = new List<object?>();
        while (true)
        {
            while (low < high && Python.IsSpace(s.Text[fromEnd ? high - 1 : low]))
            {
                _ = fromEnd ? high-- : low++;
            }

            if (low == high)
            {
                break;
            }

            if (limit-- == 0)
            {
                parts.Add(StringMethods.Strip(s.Slice(low, high - low), null));
                break;
            }

            var (from, to) = (low, high);
            while (low < high && !Python.IsSpace(s.Text[fromEnd ? high - 1 : low]))
            {
                _ = fromEnd ? high-- : low++;
            }

            parts.Add(fromEnd ? s.Slice(high, to - high) : s.Slice(from, low - from));
        }

        if (fromEnd)
        {
            parts.Reverse();
        }

        return parts;
    }

    public static PyList SplitLines(TracedString s, bool keepEnds, Budget budget)
    {
        var lines = new List<object?>();
        var start = 0;
        for (var i = 0; i < s.Text.Length; i++)
        {
            if (s.Text[i] is not ('\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029'))
            {
                continue;
            }

            var next = s.Text[i] == '\r' && i + 1 < s.Text.Length && s.Text[i + 1] == '\n' ? i + 2 : i + 1;
            lines.Add(s.Slice(start, (keepEnds ? next : i) - start));
            start = next;
            i = next - 1;
        }

        if (start < s.Text.Length)
        {
            lines.Add(s.SliceFrom(start));
        }

        budget.Elements(lines.Count);
        return new PyList(lines);
    }

    public static PyTuple Partition(TracedString s, TracedString separator, bool last)
    {
        var at = last ? s.Text.LastIndexOf(separator.Text, StringComparison.Ordinal) : s.Text.IndexOf(separator.Text, StringComparison.Ordinal);
        if (at < 0)
        {
            return last ? new PyTuple([TracedString.Empty, TracedString.Empty, s]) : new PyTuple([s, TracedString.Empty, TracedString.Empty]);
        }

        return new PyTuple([s.Slice(0, at), separator, s.SliceFrom(at + separator.Text.Length)]);
    }
}
