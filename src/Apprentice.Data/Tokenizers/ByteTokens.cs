using System.Globalization;

namespace Apprentice.Data.Tokenizers;

/// <summary>The tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, which stand for single bytes of characters that a vocabulary lacks.</summary>
internal static class ByteTokens
{
    public static string Name(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>The byte that a token names, or -1.</summary>
    public static int Value(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
        && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : -1;

    /// <summary>The id of each byte's token, -1 where there is none.</summary>
    public static int[] Ids(Dictionary<string, int> vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(b => vocabulary.GetValueOrDefault(Name(b), -1))];

    /// <summary>The ids of a text's bytes; false where one of them has none.</summary>
    public static bool TryEncode(ReadOnlySpan<char> text, int[] ids, List<int> output)
    {
        output.Clear();
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var b in bytes[..rune.EncodeToUtf8(bytes)])
            {
                if (ids[b] < 0)
                {
                    return false;
                }

                output.Add(ids[b]);
            }
        }

        return true;
    }
}
