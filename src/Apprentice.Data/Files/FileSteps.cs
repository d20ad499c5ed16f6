using System.Runtime.InteropServices;

namespace Apprentice.Data.Files;

/// <summary>
/// The few file operations that safe writing is made of, one method each, so that a test can stop the program between
/// any two of them and look at what is left on disk.
/// </summary>
internal static class FileSteps
{
    /// <summary>For tests: called with a description before each operation; throwing from it stops the program there.</summary>
    internal static readonly AsyncLocal<Action<string>?> Before = new();

    public static void Announce(string operation) => Before.Value?.Invoke(operation);

    public static void CreateDirectory(string path)
    {
        Announce($"create {path}");
        Directory.CreateDirectory(path);
    }

    public static void Move(string from, string to)
    {
        Announce($"move {from} to {to}");
        Directory.Move(from, to); // works for files as well as directories
    }

    public static void Replace(string from, string to)
    {
        Announce($"replace {to} by {from}");
        File.Move(from, to, overwrite: true);
    }

    public static void Delete(string path)
    {
        Announce($"delete {path}");
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <summary>Waits until the file's content is on the disk, so that a rename that follows cannot overtake it.</summary>
    public static void FlushFile(string path)
    {
        Announce($"flush {path}");
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        file.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Waits until the directory's entries are on the disk. .NET opens no directories, so this asks the system; Windows
    /// has no such call and orders its metadata itself.
    /// </summary>
    public static void FlushDirectory(string path)
    {
        Announce($"flush {path}");
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(path, 0);
        if (descriptor >= 0)
        {
            // Best effort: some file systems refuse to flush directories.
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open")]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
