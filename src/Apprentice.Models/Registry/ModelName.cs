using System.Text.RegularExpressions;
using Apprentice.Data;

namespace Apprentice.Models.Registry;

/// <summary>What a model may be called in the registry, so that a name is never taken for a path that leads elsewhere.</summary>
public static partial class ModelName
{
    private const int Longest = 160;

    /// <summary>Letters, digits and <c>. _ - : /</c> inside, beginning and ending with a letter or digit, no part <c>..</c>.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= Longest && Allowed().IsMatch(name) && !name.Contains("..", StringComparison.Ordinal) && !name.Contains("//", StringComparison.Ordinal) && name != BuiltInModel.Name;

    /// <exception cref="InputException">Code <c>bad_model_name</c>.</exception>
    public static void Require(string name)
    {
        if (name == BuiltInModel.Name)
        {
            throw new InputException("bad_model_name", $"'{name}' is the name of the built-in model", hint: "give another --name");
        }

        if (!IsValid(name))
        {
            throw new InputException(
                "bad_model_name", $"'{Shown(name)}' is no name for a model: up to {Longest} letters, digits and . _ - : / between them are, without '..' and '//'", hint: "give another --name, such as my-model");
        }
    }

    /// <summary>A part of a name made of any text: what is not allowed becomes a dash; null where nothing is left.</summary>
    public static string? Part(string text)
    {
        const int LongestPart = 40;
        var plain = Others().Replace(text, "-").Trim('-', '.', '_');
        plain = Dots().Replace(plain, ".");
        plain = plain.Length > LongestPart ? plain[..LongestPart].TrimEnd('-', '.', '_') : plain;
        return plain.Length > 0 ? plain : null;
    }

    /// <summary>How a file or folder is called: its own name, of a GGUF file without the ending.</summary>
    public static string OfPath(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^5] : name;
    }

    private static string Shown(string name) => string.Concat((name.Length > 60 ? name[..60] + "…" : name).Select(c => char.IsControl(c) ? ' ' : c));

    [GeneratedRegex(@"\A[A-Za-z0-9](?:[A-Za-z0-9._:/-]*[A-Za-z0-9])?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Allowed();

    [GeneratedRegex("[^A-Za-z0-9._-]+", RegexOptions.NonBacktracking)]
    private static partial Regex Others();

    [GeneratedRegex(@"\.{2,}", RegexOptions.NonBacktracking)]
    private static partial Regex Dots();
}
