using System.Text;
using System.Text.RegularExpressions;

namespace Apprentice.Models.Registry;

/// <summary>The licence of a Hugging Face folder: the field of that name at the head of its model card, README.md, or the file itself.</summary>
internal static partial class ModelLicense
{
    private const int LongestHead = 1 << 16;

    /// <summary>Its name, the file that holds it, or null where nothing says.</summary>
    public static string? Of(string folder)
    {
        var fields = Field().Matches(HeadOf(Path.Combine(folder, "README.md"))).ToLookup(m => m.Groups["name"].Value, m => m.Groups["value"].Value.Trim(' ', '\t', '\r', '\'', '"'));
        return fields["license_name"].Concat(fields["license"]).FirstOrDefault(value => value is not ("" or "other"))
            ?? new[] { "LICENSE", "LICENSE.txt", "LICENSE.md" }.FirstOrDefault(name => File.Exists(Path.Combine(folder, name)));
    }

    /// <summary>The YAML between the first two lines of dashes; empty where there is none, or the file cannot be read.</summary>
    private static string HeadOf(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[LongestHead];
            var text = Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).ReplaceLineEndings("\n");
            var end = text.IndexOf("\n---", StringComparison.Ordinal);
            return text.StartsWith("---\n", StringComparison.Ordinal) && end > 0 ? text[..end] : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [GeneratedRegex("^(?<name>license|license_name):(?<value>[^\n]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Field();
}
