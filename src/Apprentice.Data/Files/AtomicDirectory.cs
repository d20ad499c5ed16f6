namespace Apprentice.Data.Files;

/// <summary>
/// Writes a directory so that it appears whole or not at all: it is filled aside, under a name that no reader looks at,
/// flushed file by file, and renamed. What a killed program leaves aside is removed by <see cref="CleanUp"/>.
/// </summary>
public static class AtomicDirectory
{
    private const string AsidePrefix = ".tmp-";
    private const string OldPrefix = ".old-";

    /// <summary>
    /// Fills a new directory by <paramref name="write"/>, which gets the path to write into, and gives it the name
    /// <paramref name="path"/>. A directory of that name is replaced; between the two renames that this takes no
    /// directory has the name, and <see cref="CleanUp"/> brings the old one back should the program be killed there.
    /// </summary>
    /// <remarks>When <paramref name="write"/> throws, nothing is left and the old directory is untouched. The caller
    /// turns an <see cref="IOException"/> for want of space into its own message (<see cref="DiskSpace.IsFull"/>).</remarks>
    public static void Write(string path, Action<string> write)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string aside = Aside(path), old = Beside(path, OldPrefix), parent = Path.GetDirectoryName(path)!;
        try
        {
            if (Directory.Exists(aside))
            {
                FileSteps.Delete(aside);
            }

            FileSteps.CreateDirectory(aside);
            write(aside);
            Flush(aside);
            if (Directory.Exists(path))
            {
                if (Directory.Exists(old))
                {
                    FileSteps.Delete(old);
                }

                FileSteps.Move(path, old);
            }

            FileSteps.Move(aside, path);
            FileSteps.FlushDirectory(parent);
        }
        catch
        {
            TryDelete(aside);
            if (!Directory.Exists(path) && Directory.Exists(old))
            {
                FileSteps.Move(old, path);
            }

            throw;
        }

        if (Directory.Exists(old))
        {
            FileSteps.Delete(old);
        }
    }

    /// <summary>
    /// Removes a directory so that a reader finds it whole or not at all: it loses its name before its first file goes.
    /// </summary>
    public static void Delete(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var aside = Aside(path);
        FileSteps.Move(path, aside);
        FileSteps.Delete(aside);
    }

    /// <summary>
    /// Mends what a killed program left in the folder: half-written things are removed, and a directory that was about to
    /// be replaced gets its name back. Only for the one process that may write there.
    /// </summary>
    public static void CleanUp(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var entry in Directory.GetFileSystemEntries(folder))
        {
            var name = Path.GetFileName(entry);
            if (name.StartsWith(OldPrefix, StringComparison.Ordinal))
            {
                var proper = Path.Combine(folder, name[OldPrefix.Length..]);
                if (Path.Exists(proper))
                {
                    FileSteps.Delete(entry);
                }
                else
                {
                    FileSteps.Move(entry, proper);
                }
            }
            else if (IsAside(name))
            {
                FileSteps.Delete(entry);
            }
        }
    }

    /// <summary>Whether a file or directory of that name is one being written or removed.</summary>
    public static bool IsAside(string name) => name.StartsWith(AsidePrefix, StringComparison.Ordinal) || name.StartsWith(OldPrefix, StringComparison.Ordinal);

    internal static string Aside(string path) => Beside(path, AsidePrefix);

    /// <summary>Best effort, for the way out of a failure: that failure matters more than one of cleaning up.</summary>
    internal static void TryDelete(string path)
    {
        try
        {
            FileSteps.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static string Beside(string path, string prefix)
    {
        path = Path.GetFullPath(path);
        return Path.Combine(Path.GetDirectoryName(path)!, prefix + Path.GetFileName(path));
    }

    private static void Flush(string directory)
    {
        foreach (var file in Directory.GetFiles(directory))
        {
            FileSteps.FlushFile(file);
        }

        foreach (var inner in Directory.GetDirectories(directory))
        {
            Flush(inner);
        }

        FileSteps.FlushDirectory(directory);
    }
}
