namespace Apprentice.Data;

/// <summary>The error for a file that a user named and that is not there; names what may have been meant.</summary>
public static class MissingFile
{
    // Looking for a name that is alike is a courtesy, which must not take long in a folder of a million files.
    private const int MostNames = 2000;

    /// <param name="path">As the user gave it.</param>
    /// <param name="wanted">What should be there, as a sentence says it.</param>
    public static InputException Error(string path, string wanted = "file") => Directory.Exists(path)
        ? new InputException("file_not_found", $"this is a folder, and a {wanted} is needed", path, hint: $"name the {wanted} in it, as in {Path.Combine(path, FirstIn(path) ?? "NAME")}")
        : new InputException("file_not_found", $"there is no such {wanted}", path, hint: Near(path) is { } near ? DidYouMean(near) : WhereItWasLookedFor(path));

    public static string DidYouMean(string near) => $"did you mean '{near}'?";

    /// <summary>An existing file or folder whose name is like that of the path, or null where none is.</summary>
    public static string? Near(string path)
    {
        var plain = Path.TrimEndingDirectorySeparator(path);
        if (plain != path && Path.Exists(plain))
        {
            return plain; // a file, with a slash behind
        }

        var (parent, name) = (Path.GetDirectoryName(plain), Path.GetFileName(plain));
        if (parent is null)
        {
            return null;
        }

        if (parent.Length > 0 && !Directory.Exists(parent))
        {
            return Near(parent) is { } near && Path.Exists(Path.Combine(near, name)) ? Path.Combine(near, name) : null;
        }

        // tickets.json for tickets.jsonl, then tickts.jsonl. Endings alone make no two names alike.
        var names = Names(parent);
        var stem = Stem(name);
        var meant = names.FirstOrDefault(n => Stem(n) == stem) ?? (Suggestion.Nearest(stem, names.Select(Stem)) is { } alike ? names.First(n => Stem(n) == alike) : null);
        return meant is null ? null : Path.Combine(parent, meant);
    }

    private static string Stem(string name) => Path.GetFileNameWithoutExtension(name);

    private static string WhereItWasLookedFor(string path) =>
        Path.IsPathRooted(path) ? "check the name and the folder" : $"check the name; it was looked for in {Environment.CurrentDirectory}";

    private static string? FirstIn(string folder) => Names(folder).FirstOrDefault(n => Path.HasExtension(n));

    private static List<string> Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder.Length == 0 ? "." : folder).Take(MostNames).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
