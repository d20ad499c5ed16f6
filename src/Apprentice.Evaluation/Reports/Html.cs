using System.Globalization;
using System.Net;
using System.Text;

namespace Apprentice.Evaluation.Reports;

/// <summary>Text made safe to stand in a page.</summary>
internal static class Html
{
    /// <summary>
    /// Escaped for content and quoted attributes; control characters and half surrogates, which a page cannot hold, become
    /// the replacement character.
    /// </summary>
    public static string Text(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var allowed = rune.Value is '\n' or '\t' || (!Rune.IsControl(rune) && rune.Value is not (0xFFFE or 0xFFFF));
            clean.Append((allowed ? rune : Rune.ReplacementChar).ToString());
        }

        return WebUtility.HtmlEncode(clean.ToString());
    }

    /// <summary>A share as a whole percentage.</summary>
    public static string Percent(double share) => (100 * share).ToString("0", CultureInfo.InvariantCulture) + "%";
}
