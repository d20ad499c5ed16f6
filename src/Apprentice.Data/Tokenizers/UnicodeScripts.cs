using System.Globalization;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// The script of each character (Unicode Character Database, Scripts, as of Unicode 9, as in the reference), as SentencePiece tells scripts
/// apart: Hiragana and Katakana count as Han, a space and what has no script yet as none.
/// </summary>
internal static partial class UnicodeScripts
{
    public const int None = 0;

    private static readonly (int Low, int High, int Script)[] Ranges = Parse();

    /// <summary>A number for the script of a code point, <see cref="None"/> where it has none.</summary>
    public static int Of(int codePoint)
    {
        var (low, high) = (0, Ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var range = Ranges[middle];
            if (codePoint >= range.Low && codePoint <= range.High)
            {
                return range.Script;
            }

            (low, high) = codePoint < range.Low ? (low, middle - 1) : (middle + 1, high);
        }

        return None;
    }

    private static (int Low, int High, int Script)[] Parse()
    {
        var script = None;
        var ranges = new List<(int Low, int High, int Script)>();
        foreach (var word in Table.Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.EndsWith(':'))
            {
                script++;
                continue;
            }

            var ends = word.Split('-');
            ranges.Add((Number(ends[0]), Number(ends[^1]), script));
        }

        ranges.Sort();
        return [.. ranges];
    }

    private static int Number(string hexadecimal) => int.Parse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
