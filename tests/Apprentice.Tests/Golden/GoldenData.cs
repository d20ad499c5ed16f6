using System.Runtime.CompilerServices;

namespace Apprentice.Tests.Golden;

/// <summary>
/// Finds reference data. A golden folder is looked up on its own: under APPRENTICE_GOLDEN when that is set,
/// else beside the repository in ../shared/golden, else among the tests' own small copies in tests/golden.
/// </summary>
public static class GoldenData
{
    /// <summary>The repository's root, found from this source file's path.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The ../shared folder, or null where it is not there.</summary>
    public static string? Shared { get; } = Existing(Path.Combine(Root, "..", "shared"));

    /// <summary>The folder of that name (such as "training/ops"), or null where no copy of it exists.</summary>
    public static string? Folder(string name)
    {
        var set = Environment.GetEnvironmentVariable("APPRENTICE_GOLDEN");
        return (string.IsNullOrEmpty(set) ? null : Existing(Path.Combine(set, name)))
            ?? (Shared is null ? null : Existing(Path.Combine(Shared, "golden", name)))
            ?? Existing(Path.Combine(Root, "tests", "golden", name));
    }

    /// <summary>The folder of that name; the calling test is skipped, with the reason, where it is not there.</summary>
    public static string RequireFolder(string name)
    {
        var folder = Folder(name);
        Skip.If(folder is null, $"golden folder '{name}' is not there (set APPRENTICE_GOLDEN or put ../shared/golden beside the repository)");
        return folder!;
    }

    /// <summary>A file of that folder; the calling test is skipped, with the reason, where the copy in use lacks it.</summary>
    public static string RequireFile(string folder, string name)
    {
        var file = Path.Combine(RequireFolder(folder), name);
        Skip.If(!File.Exists(file), $"this copy of golden folder '{folder}' has no {name}");
        return file;
    }

    /// <summary>A file or folder under ../shared; the calling test is skipped where it is not there.</summary>
    public static string RequireShared(string path)
    {
        var full = Shared is null ? null : Path.Combine(Shared, path);
        Skip.If(full is null || !(File.Exists(full) || Directory.Exists(full)), $"../shared/{path} is not there");
        return full!;
    }

    private static string? Existing(string path) => Directory.Exists(path) ? Path.GetFullPath(path) : null;

    private static string FindRoot([CallerFilePath] string file = "")
    {
        // Deterministic CI builds rewrite source paths, so fall back to walking up from the test assembly.
        foreach (var start in new[] { Path.GetDirectoryName(file), AppContext.BaseDirectory })
        {
            for (var d = start; !string.IsNullOrEmpty(d); d = Path.GetDirectoryName(d))
            {
                if (File.Exists(Path.Combine(d, "Apprentice.slnx")))
                {
                    return d;
                }
            }
        }

        throw new InvalidOperationException("Apprentice.slnx not found above the tests");
    }
}
