using System.Text;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>
/// Where a character comes from. Message numbers are one-based so that the default value means "from the template itself".
/// </summary>
/// <param name="Content">The message whose content (or tool call, reasoning, …) the character was copied from.</param>
/// <param name="Emitter">The message whose turn of a loop wrote the character to the output.</param>
/// <param name="Generation">The number of the <c>{% generation %}</c> block that wrote it.</param>
internal readonly record struct Origin(int Content, int Emitter, int Generation)
{
    /// <summary>This origin, with what it does not know yet taken from where it is being written to.</summary>
    public Origin Stamped(int emitter, int generation) =>
        new(Content, Emitter == 0 ? emitter : Emitter, Generation == 0 ? generation : Generation);
}

/// <summary>A stretch of characters of one origin; End is exclusive and counts UTF-16 units from the start of the string.</summary>
internal readonly record struct Run(int End, Origin Origin);

/// <summary>
/// Python's str as templates see it, in which every character knows its origin through concatenation, trimming, slicing,
/// replacing and joining. Length and indexes of templates count code points; Text is UTF-16.
/// </summary>
internal sealed class TracedString
{
    public static readonly TracedString Empty = new("");
    private readonly Run[] _runs;
    private int _codePoints = -1;

    public TracedString(string text, Origin origin = default, bool isMarkup = false)
        : this(text, text.Length == 0 ? [] : [new Run(text.Length, origin)], isMarkup)
    {
    }

    public TracedString(string text, Run[] runs, bool isMarkup = false)
    {
        Text = text;
        _runs = runs;
        IsMarkup = isMarkup;
    }

    public string Text { get; }

    public ReadOnlySpan<Run> Runs => _runs;

    /// <summary>True after <c>safe</c> and <c>escape</c>: what is added to it gets escaped.</summary>
    public bool IsMarkup { get; }

    /// <summary>Length in code points.</summary>
    public int CodePoints => _codePoints >= 0 ? _codePoints : _codePoints = CountCodePoints();

    public bool IsWide => CodePoints != Text.Length;

    public override string ToString() => Text;

    public TracedString AsMarkup() => new(Text, _runs, isMarkup: true);

    public TracedString Slice(int start, int length)
    {
        if (length <= 0)
        {
            return Empty;
        }

        if (length == Text.Length)
        {
            return this;
        }

        var end = start + length;
        var first = FindRun(start);
        var last = FindRun(end - 1);
        var runs = new Run[last - first + 1];
        for (var r = first; r <= last; r++)
        {
            runs[r - first] = new Run(Math.Min(_runs[r].End, end) - start, _runs[r].Origin);
        }

        return new TracedString(Text.Substring(start, length), runs);
    }

    public TracedString SliceFrom(int start) => Slice(start, Text.Length - start);

    public Origin OriginAt(int index) => _runs[FindRun(index)].Origin;

    /// <summary>The string with each code point replaced; what replaces it keeps its origin.</summary>
    public TracedString Map(Func<Rune, string> replacement)
    {
        var result = new TracedStringBuilder();
        var at = 0;
        while (at < Text.Length)
        {
            // A lone surrogate is kept as it is.
            if (Rune.TryGetRuneAt(Text, at, out var rune))
            {
                result.Append(replacement(rune), OriginAt(at));
                at += rune.Utf16SequenceLength;
            }
            else
            {
                result.Append(Text.AsSpan(at, 1), OriginAt(at));
                at++;
            }
        }

        return result.ToTraced();
    }

    /// <summary>The code points one by one, as Python iterates over a string.</summary>
    public IEnumerable<TracedString> Characters()
    {
        for (var at = 0; at < Text.Length;)
        {
            var size = CodePointSize(at);
            yield return Slice(at, size);
            at += size;
        }
    }

    /// <summary>The UTF-16 index of a code point's index.</summary>
    public int Utf16Index(int codePoint)
    {
        if (!IsWide)
        {
            return codePoint;
        }

        var at = 0;
        for (; codePoint > 0 && at < Text.Length; codePoint--)
        {
            at += CodePointSize(at);
        }

        return at;
    }

    public int CodePointIndex(int utf16)
    {
        if (!IsWide)
        {
            return utf16;
        }

        var count = 0;
        for (var at = 0; at < utf16; at += CodePointSize(at))
        {
            count++;
        }

        return count;
    }

    private int CodePointSize(int at) =>
        char.IsHighSurrogate(Text[at]) && at + 1 < Text.Length && char.IsLowSurrogate(Text[at + 1]) ? 2 : 1;

    private int CountCodePoints()
    {
        var count = Text.Length;
        for (var i = 0; i + 1 < Text.Length; i++)
        {
            if (char.IsHighSurrogate(Text[i]) && char.IsLowSurrogate(Text[i + 1]))
            {
                count--;
                i++;
            }
        }

        return count;
    }

    private int FindRun(int index)
    {
        int low = 0, high = _runs.Length - 1;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].End > index)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
