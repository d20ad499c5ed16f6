using System.Numerics;
using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>The methods of Python's str. All that return text keep its origin.</summary>
internal static class StringMethods
{
    private static readonly Dictionary<string, Func<TracedString, Arguments, Budget, object?>> Methods = new()
    {
        ["strip"] = (s, a, _) => Strip(s, a.Get(0, "chars"), start: true, end: true),
        ["lstrip"] = (s, a, _) => Strip(s, a.Get(0, "chars"), start: true, end: false),
        ["rstrip"] = (s, a, _) => Strip(s, a.Get(0, "chars"), start: false, end: true),
        ["upper"] = (s, _, _) => Upper(s),
        ["lower"] = (s, _, _) => Lower(s),
        ["casefold"] = (s, _, _) => Lower(s),
        ["swapcase"] = (s, _, _) => s.Map(r => Rune.IsUpper(r) ? LowerOf(r) : UpperOf(r)),
        ["capitalize"] = (s, _, _) => Capitalize(s),
        ["title"] = (s, _, _) => Title(s),
        ["startswith"] = (s, a, _) => AnyAffix(s, a, (text, affix) => text.StartsWith(affix, StringComparison.Ordinal)),
        ["endswith"] = (s, a, _) => AnyAffix(s, a, (text, affix) => text.EndsWith(affix, StringComparison.Ordinal)),
        ["removeprefix"] = (s, a, _) => Argument(a, 0) is var p && s.Text.StartsWith(p.Text, StringComparison.Ordinal) ? s.SliceFrom(p.Text.Length) : s,
        ["removesuffix"] = (s, a, _) => Argument(a, 0) is { Text.Length: > 0 } p && s.Text.EndsWith(p.Text, StringComparison.Ordinal) ? s.Slice(0, s.Text.Length - p.Text.Length) : s,
        ["find"] = (s, a, _) => Find(s, a, last: false),
        ["rfind"] = (s, a, _) => Find(s, a, last: true),
        ["index"] = (s, a, _) => Find(s, a, last: false) is { Sign: >= 0 } at ? at : throw JinjaException.Type("substring not found"),
        ["rindex"] = (s, a, _) => Find(s, a, last: true) is { Sign: >= 0 } at ? at : throw JinjaException.Type("substring not found"),
        ["count"] = (s, a, _) => Count(s, Argument(a, 0)),
        ["replace"] = (s, a, b) => Replace(s, Argument(a, 0), Argument(a, 1), a.Integer(2, "count", -1), b),
        ["split"] = (s, a, b) => StringSplitting.Split(s, a.Get(0, "sep"), a.Integer(1, "maxsplit", -1), fromEnd: false, b),
        ["rsplit"] = (s, a, b) => StringSplitting.Split(s, a.Get(0, "sep"), a.Integer(1, "maxsplit", -1), fromEnd: true, b),
        ["splitlines"] = (s, a, b) => StringSplitting.SplitLines(s, a.Flag(0, "keepends"), b),
        ["partition"] = (s, a, _) => StringSplitting.Partition(s, Argument(a, 0), last: false),
        ["rpartition"] = (s, a, _) => StringSplitting.Partition(s, Argument(a, 0), last: true),
        ["join"] = (s, a, b) => Join(s, Sequences.Iterate(a.Require(0, "iterable"), b), b),
        ["format"] = BraceFormat.Apply,
        ["zfill"] = (s, a, b) => ZeroFill(s, a.Integer(0, "width", 0), b),
        ["center"] = (s, a, b) => Pad(s, a, b, (missing, width) => (missing / 2) + (missing & width & 1)),
        ["ljust"] = (s, a, b) => Pad(s, a, b, (_, _) => 0),
        ["rjust"] = (s, a, b) => Pad(s, a, b, (missing, _) => missing),
        ["isdigit"] = (s, _, _) => All(s, Rune.IsDigit),
        ["isdecimal"] = (s, _, _) => All(s, Rune.IsDigit),
        ["isnumeric"] = (s, _, _) => All(s, Rune.IsNumber),
        ["isalpha"] = (s, _, _) => All(s, Rune.IsLetter),
        ["isalnum"] = (s, _, _) => All(s, r => Rune.IsLetter(r) || Rune.IsNumber(r)),
        ["isspace"] = (s, _, _) => All(s, r => r.IsBmp && Python.IsSpace((char)r.Value)),
        ["isupper"] = (s, _, _) => IsCased(s, Rune.IsUpper, Rune.IsLower),
        ["islower"] = (s, _, _) => IsCased(s, Rune.IsLower, Rune.IsUpper),
        ["isascii"] = (s, _, _) => s.Text.All(char.IsAscii),
        ["istitle"] = (s, _, _) => s.Text.Any(char.IsLetter) && Title(s).Text == s.Text,
    };

    public static object Find(TracedString owner, string name, Budget budget) => Methods.TryGetValue(name, out var method)
        ? new PyFunction(name, a =>
        {
            budget.Characters(owner.Text.Length);
            return method(owner, a, budget);
        })
        : PyObject.None;

    public static TracedString Upper(TracedString s) => s.Map(UpperOf);

    public static TracedString Lower(TracedString s) => s.Map(LowerOf);

    public static TracedString Capitalize(TracedString s)
    {
        var first = true;
        return s.Map(r =>
        {
            var result = first ? UpperOf(r) : LowerOf(r);
            first = false;
            return result;
        });
    }

    public static TracedString Strip(TracedString s, object? characters, bool start = true, bool end = true)
    {
        var set = characters is null ? null : characters is TracedString c ? c.Text : throw JinjaException.Type("strip arg must be None or str");
        var from = 0;
        var to = s.Text.Length;
        while (start && from < to && Drops(s.Text[from]))
        {
            from++;
        }

        while (end && to > from && Drops(s.Text[to - 1]))
        {
            to--;
        }

        return s.Slice(from, to - from);

        bool Drops(char c) => set is null ? Python.IsSpace(c) : set.Contains(c);
    }

    public static TracedString Replace(TracedString s, TracedString old, TracedString with, int count, Budget budget)
    {
        var result = new TracedStringBuilder();
        var at = 0;
        if (old.Text.Length == 0)
        {
            foreach (var c in s.Characters().Append(TracedString.Empty))
            {
                if (count-- != 0)
                {
                    budget.Characters(with.Text.Length);
                    result.Append(with);
                }

                result.Append(c);
            }

            return result.ToTraced();
        }

        while (count-- != 0 && s.Text.IndexOf(old.Text, at, StringComparison.Ordinal) is >= 0 and var next)
        {
            budget.Characters(next - at + with.Text.Length);
            result.Append(s.Slice(at, next - at));
            result.Append(with);
            at = next + old.Text.Length;
        }

        if (at == 0 && result.Length == 0)
        {
            return s;
        }

        result.Append(s.SliceFrom(at));
        return result.ToTraced();
    }

    public static TracedString Join(TracedString separator, IReadOnlyList<object?> items, Budget budget)
    {
        var result = new TracedStringBuilder();
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i] is not TracedString item)
            {
                throw JinjaException.Type($"sequence item {i}: expected str instance, {Python.TypeName(items[i])} found");
            }

            budget.Characters(separator.Text.Length + item.Text.Length);
            result.Append(i == 0 ? TracedString.Empty : separator);
            result.Append(item);
        }

        return result.ToTraced();
    }

    private static TracedString Argument(Arguments arguments, int index) => arguments.Require(index, "argument") switch
    {
        TracedString s => s,
        var other => throw JinjaException.Type($"must be str, not {Python.TypeName(other)}"),
    };

    // The two lower-case letters whose capitals are two letters and that models' languages use.
    private static string UpperOf(Rune r) => r.Value == 'ß' ? "SS" : Rune.ToUpperInvariant(r).ToString();

    private static string LowerOf(Rune r) => Rune.ToLowerInvariant(r).ToString();

    private static TracedString Title(TracedString s)
    {
        var inWord = false;
        return s.Map(r =>
        {
            var result = inWord ? LowerOf(r) : UpperOf(r);
            inWord = Rune.IsLetter(r);
            return result;
        });
    }

    private static object AnyAffix(TracedString s, Arguments arguments, Func<string, string, bool> has) => arguments.Require(0, "prefix") switch
    {
        TracedString affix => has(s.Text, affix.Text),
        PyTuple affixes => affixes.Items.Any(i => i is TracedString affix && has(s.Text, affix.Text)),
        var other => throw JinjaException.Type($"startswith first arg must be str or a tuple of str, not {Python.TypeName(other)}"),
    };

    private static BigInteger Find(TracedString s, Arguments arguments, bool last)
    {
        var text = (TracedString)Sequences.Slice(s, arguments.Get(1, "start"), arguments.Get(2, "end"), null, new Budget(Budget.For(s.Text.Length)))!;
        var part = Argument(arguments, 0).Text;
        var at = last ? text.Text.LastIndexOf(part, StringComparison.Ordinal) : text.Text.IndexOf(part, StringComparison.Ordinal);
        if (at < 0)
        {
            return BigInteger.MinusOne;
        }

        var start = arguments.Get(1, "start") is { } given ? Python.ToIndex(given) : 0;
        start = start < 0 ? Math.Max(0, start + s.CodePoints) : start;
        return start + text.CodePointIndex(at);
    }

    private static object Count(TracedString s, TracedString part)
    {
        if (part.Text.Length == 0)
        {
            return new BigInteger(s.CodePoints + 1);
        }

        var count = 0;
        for (var at = s.Text.IndexOf(part.Text, StringComparison.Ordinal); at >= 0; at = s.Text.IndexOf(part.Text, at + part.Text.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return new BigInteger(count);
    }

    private static TracedString ZeroFill(TracedString s, int width, Budget budget)
    {
        var missing = Math.Max(0, width - s.CodePoints);
        budget.Characters(missing);
        var sign = s.Text.StartsWith('-') || s.Text.StartsWith('+') ? 1 : 0;
        var result = new TracedStringBuilder();
        result.Append(s.Slice(0, sign));
        result.Append(new string('0', missing));
        result.Append(s.SliceFrom(sign));
        return result.ToTraced();
    }

    private static TracedString Pad(TracedString s, Arguments arguments, Budget budget, Func<int, int, int> left)
    {
        var width = arguments.Integer(0, "width", 0);
        var fill = arguments.Text(1, "fillchar", " ");
        var missing = Math.Max(0, width - s.CodePoints);
        if (fill.Length != 1)
        {
            throw JinjaException.Type("The fill character must be exactly one character long");
        }

        budget.Characters(missing);
        var before = left(missing, width);
        var result = new TracedStringBuilder();
        result.Append(new string(fill[0], before));
        result.Append(s);
        result.Append(new string(fill[0], missing - before));
        return result.ToTraced();
    }

    private static object All(TracedString s, Func<Rune, bool> test) => s.Text.Length > 0 && s.Text.EnumerateRunes().All(test);

    private static object IsCased(TracedString s, Func<Rune, bool> wanted, Func<Rune, bool> unwanted) =>
        s.Text.EnumerateRunes().Any(wanted) && !s.Text.EnumerateRunes().Any(unwanted);

    private static bool All(this StringRuneEnumerator runes, Func<Rune, bool> test)
    {
        foreach (var rune in runes)
        {
            if (!test(rune))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Any(this StringRuneEnumerator runes, Func<Rune, bool> test) => !runes.All(r => !test(r));
}
