using System.Runtime.CompilerServices;

namespace Apprentice.Data.Tokenizers;

/// <summary>Steps through UTF-16 by code points. A surrogate without its partner counts as one U+FFFD.</summary>
internal static class Utf16
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodePoint(ReadOnlySpan<char> text, int at, out int length)
    {
        var c = text[at];
        length = 1;
        if (!char.IsSurrogate(c))
        {
            return c;
        }

        return Pair(text, at, out length);
    }

    private static int Pair(ReadOnlySpan<char> text, int at, out int length)
    {
        var c = text[at];
        length = 1;
        if (char.IsHighSurrogate(c) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(c, text[at + 1]);
        }

        return 0xFFFD;
    }

    /// <summary>UTF-16 units of the code point that begins at <paramref name="at"/>.</summary>
    public static int Length(ReadOnlySpan<char> text, int at) =>
        at + 1 < text.Length && char.IsHighSurrogate(text[at]) && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;

    /// <summary>UTF-16 units of the code point that ends before <paramref name="at"/>.</summary>
    public static int LengthBefore(ReadOnlySpan<char> text, int at) =>
        at >= 2 && char.IsLowSurrogate(text[at - 1]) && char.IsHighSurrogate(text[at - 2]) ? 2 : 1;

    /// <summary>Code points of a text.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var at = 0; at < text.Length; at += Length(text, at))
        {
            count++;
        }

        return count;
    }

    /// <summary>The text with each surrogate that lacks its partner replaced by U+FFFD; the same length.</summary>
    public static string Repair(string text)
    {
        var at = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        char[]? repaired = null;
        for (; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
            {
                continue;
            }

            if (Length(text, at) == 2)
            {
                at++;
            }
            else
            {
                (repaired ??= text.ToCharArray())[at] = '\uFFFD';
            }
        }

        return repaired is null ? text : new string(repaired);
    }
}
