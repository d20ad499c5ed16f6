using System.Globalization;
using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Hub;

/// <summary>Looks for room on the disk before it is needed.</summary>
internal static class DownloadRoom
{
    /// <exception cref="RunFailedException">Code <c>disk_full</c>.</exception>
    public static void Require(string folder, long bytes)
    {
        if (DiskSpace.Free(folder) is { } free && free < bytes)
        {
            throw new RunFailedException("disk_full", string.Create(CultureInfo.InvariantCulture, $"the disk of {folder} has {free / 1e9:0.0} GB left, and the download needs {bytes / 1e9:0.0} GB"),
                "free some space, or set APPRENTICE_HOME to a folder on another disk");
        }
    }
}
