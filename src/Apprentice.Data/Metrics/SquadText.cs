using System.Text;

namespace Apprentice.Data.Metrics;

/// <summary>
/// Text as SQuAD's evaluation script compares it (Rajpurkar et al., 2016): lower case, no ASCII punctuation, no articles,
/// single spaces.
/// </summary>
internal static class SquadText
{
    /// <summary>The words that are left.</summary>
    public static IReadOnlyList<string> Words(string text)
    {
        var kept = new StringBuilder(text.Length);
        var run = new StringBuilder(); // letters and digits in a row: what may be an article
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsAsciiPunctuation(rune))
            {
                continue;
            }

            var lower = Rune.ToLowerInvariant(rune);
            if (Rune.IsLetterOrDigit(lower) || Rune.IsNumber(lower))
            {
                run.Append(lower.ToString());
                continue;
            }

            Flush(kept, run);
            kept.Append(lower.ToString());
        }

        Flush(kept, run);
        return kept.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    private static void Flush(StringBuilder kept, StringBuilder run)
    {
        var word = run.ToString();
        kept.Append(word is "a" or "an" or "the" ? " " : word);
        run.Clear();
    }

    private static bool IsAsciiPunctuation(Rune rune) => rune.IsAscii && (Rune.IsPunctuation(rune) || Rune.IsSymbol(rune));
}
