namespace Apprentice.Data.Files;

/// <summary>Seeing a full disk coming, and saying so clearly when it came all the same.</summary>
public static class DiskSpace
{
    /// <summary>Whether the write failed because disk or quota is full.</summary>
    public static bool IsFull(IOException e)
    {
        // The same number means other things on other systems.
        const int NoSpace = 28, QuotaExceeded = 122, MacQuotaExceeded = 69; // errno, as .NET hands it on
        const int WindowsDiskFull = 0x70, WindowsHandleDiskFull = 0x27;
        var code = e.HResult & 0xFFFF;
        return OperatingSystem.IsWindows() ? code is WindowsDiskFull or WindowsHandleDiskFull : code == NoSpace || code == (OperatingSystem.IsMacOS() ? MacQuotaExceeded : QuotaExceeded);
    }

    /// <summary>Bytes that this process may still write into the folder, or null where the system does not say.</summary>
    public static long? Free(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The failure to report.</summary>
    /// <param name="path">What was being written.</param>
    /// <param name="safe">What is safe, as the end of a sentence.</param>
    /// <param name="figures">Bytes needed and free, where they are known.</param>
    /// <param name="inner">The failure of the write, where there was one.</param>
    public static RunFailedException Full(string path, string? safe = null, string? figures = null, Exception? inner = null) => new(
        "disk_full",
        $"disk full while writing {path}{(figures is null ? "" : $" ({figures})")}{(safe is null ? "" : $"; {safe}")}",
        "free some space and run the command again; a run that had begun goes on from its last checkpoint with: apprentice resume RUN",
        inner);
}
