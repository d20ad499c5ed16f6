using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Text that may have been changed by normalization, each UTF-16 unit knowing the range of the original text that it
/// came from. Without arrays it is the original text itself.
/// </summary>
internal sealed class NormalizedText(string text, int[]? starts = null, int[]? ends = null)
{
    public string Text { get; } = text;

    /// <summary>Where in the original the code point at <paramref name="index"/> begins.</summary>
    public int OriginalStart(int index) =>
        starts is not null ? starts[index]
        : index > 0 && char.IsLowSurrogate(Text[index]) && char.IsHighSurrogate(Text[index - 1]) ? index - 1
        : index;

    /// <summary>Where in the original the code point at <paramref name="index"/> ends.</summary>
    public int OriginalEnd(int index) => ends is not null ? ends[index] : OriginalStart(index) + Utf16.Length(Text, OriginalStart(index));

    public Piece Whole => new(this, 0, Text.Length);
}

/// <summary>A stretch of a <see cref="NormalizedText"/>, in UTF-16 units.</summary>
internal readonly record struct Piece(NormalizedText Source, int Start, int Length)
{
    public ReadOnlySpan<char> Span => Source.Text.AsSpan(Start, Length);

    public Piece Slice(int start, int end) => new(Source, Start + start, end - start);

    public override string ToString() => Span.ToString();

    /// <summary>The range of the original text; an empty piece gives an empty range at 0.</summary>
    public (int Start, int End) OriginalRange =>
        Length == 0 ? (0, 0) : (Source.OriginalStart(Start), Source.OriginalEnd(Start + Length - 1));
}

/// <summary>
/// Rewrites a piece character by character while keeping track of where each came from, by the rules of Hugging Face
/// tokenizers: a replaced character keeps the range of the one it replaces, an inserted one takes the range of the
/// character before it, a removed one is in no range.
/// </summary>
internal sealed class Rewriter(Piece input)
{
    private readonly StringBuilder _text = new(input.Length);
    private readonly List<int> _starts = new(input.Length);
    private readonly List<int> _ends = new(input.Length);
    private int _at;
    private (int Start, int End) _last = (input.OriginalRange.Start, input.OriginalRange.Start);

    public bool AtEnd => _at >= input.Length;

    /// <summary>The next input character.</summary>
    public Rune Next => new(Utf16.CodePoint(input.Span, _at, out _));

    public void Copy() => Replace(Next);

    public void CopyTo(int position)
    {
        while (_at < position)
        {
            Copy();
        }
    }

    /// <summary>Puts <paramref name="rune"/> in the place of the next input character.</summary>
    public void Replace(Rune rune)
    {
        Remove(1);
        Insert(rune);
    }

    /// <summary>Puts <paramref name="rune"/> before the next input character.</summary>
    public void Insert(Rune rune)
    {
        Span<char> units = stackalloc char[2];
        for (var i = rune.EncodeToUtf16(units); i > 0; i--)
        {
            _starts.Add(_last.Start);
            _ends.Add(_last.End);
        }

        _text.Append(units[..rune.Utf16SequenceLength]);
    }

    /// <summary>Skips input characters.</summary>
    public void Remove(int count)
    {
        for (; count > 0 && !AtEnd; count--)
        {
            var length = Utf16.Length(input.Span, _at);
            _last = input.Slice(_at, _at + length).OriginalRange;
            _at += length;
        }
    }

    public void RemoveTo(int position)
    {
        while (_at < position)
        {
            Remove(1);
        }
    }

    /// <summary>
    /// Replaces the whole input by characters of which each says what it stands for, as the reference keeps its books:
    /// 0 for the next input character, 1 for none, -n for the next and n more that are gone.
    /// </summary>
    public Piece Transform(List<(Rune Rune, int Change)> characters)
    {
        foreach (var (rune, change) in characters)
        {
            if (change > 0)
            {
                Insert(rune);
            }
            else
            {
                Replace(rune);
                Remove(-change);
            }
        }

        RemoveTo(input.Length);
        return Finish();
    }

    public Piece Finish()
    {
        CopyTo(input.Length);
        return new NormalizedText(_text.ToString(), [.. _starts], [.. _ends]).Whole;
    }
}
