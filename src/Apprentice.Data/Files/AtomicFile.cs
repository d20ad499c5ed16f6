namespace Apprentice.Data.Files;

/// <summary>Writes a file so that a reader finds the old content or the new, whole, whenever the program is killed.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes aside in the same folder, flushes, renames. When <paramref name="write"/> throws, the old file is untouched.
    /// </summary>
    /// <param name="secret">Whether only its owner may read it, where the system has such a thing.</param>
    /// <exception cref="RunFailedException">Code <c>disk_full</c>.</exception>
    public static void Write(string path, Action<Stream> write, bool secret = false)
    {
        path = Target(path);
        if (IsDevice(path))
        {
            using var device = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            write(device);
            return;
        }

        var aside = AtomicDirectory.Aside(path);
        try
        {
            FileSteps.Announce($"write {aside}");
            using (var file = new FileStream(aside, Options(secret)))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }

            FileSteps.Replace(aside, path);
            FileSteps.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            AtomicDirectory.TryDelete(aside);
            throw DiskSpace.Full(path, inner: e);
        }
        catch
        {
            AtomicDirectory.TryDelete(aside);
            throw;
        }
    }

    private static FileStreamOptions Options(bool secret)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (secret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    /// <summary>To be called before long work: whether <see cref="Write"/> will be let write there.</summary>
    /// <exception cref="InputException">Code <c>bad_path</c>.</exception>
    public static void RequireWritable(string path)
    {
        if (Directory.Exists(path))
        {
            throw new InputException("bad_path", "this is a folder, and a file is to be written", path, hint: $"name the file in it, as in {Path.Combine(path, "NAME")}");
        }

        path = Target(path);
        if (IsDevice(path))
        {
            return;
        }

        RequirePlace(path);
    }

    /// <summary>The same for a file or folder that is to appear there, whether or not something of that name is there now.</summary>
    /// <exception cref="InputException">Code <c>bad_path</c>.</exception>
    public static void RequirePlace(string path)
    {
        try
        {
            using var probe = new FileStream(AtomicDirectory.Aside(path), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(path, e);
        }
    }

    /// <summary>Renaming over /dev/null or /dev/stdout would put a file in the place of the device, for everyone.</summary>
    private static bool IsDevice(string path)
    {
        var full = Path.GetFullPath(path);
        return !OperatingSystem.IsWindows() && full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal);
    }

    /// <summary>What a link leads to is written, and the link stays; /dev/stdout is such a link, which leads to no file.</summary>
    private static string Target(string path) => IsDevice(path) || new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, file => file.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
