using System.Text;
using Apprentice.Data;

namespace Apprentice.Cli;

/// <summary>A text that a user names by its file.</summary>
internal static class TextFile
{
    /// <exception cref="InputException">Code <c>file_not_found</c> or <c>invalid_utf8</c>.</exception>
    public static string Read(string file)
    {
        if (!File.Exists(file))
        {
            throw MissingFile.Error(file);
        }

        try
        {
            return File.ReadAllText(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException)
        {
            throw new InputException("invalid_utf8", "the text is not UTF-8", file);
        }
    }
}
