namespace Apprentice.Data.Files;

/// <summary>The error for a place in which the system lets nothing be written.</summary>
public static class Unwritable
{
    /// <param name="path">As the user gave it.</param>
    /// <param name="reason">What the system said.</param>
    public static InputException Error(string path, Exception reason) => new(
        "bad_path", $"nothing can be written here: {Words(path, reason)}", path, hint: "choose a place in which you may write, such as a folder in your home folder");

    /// <summary>Whether the write failed because the whole disk is read-only.</summary>
    public static bool IsReadOnlyDisk(Exception e) => (e.HResult & 0xFFFF) == 30; // errno, as .NET hands it on

    // The system's own words name the path again, and a place without permission at times as a file that is not found.
    private static string Words(string path, Exception reason)
    {
        return reason is UnauthorizedAccessException ? "you have no permission"
            : IsReadOnlyDisk(reason) ? "the disk is read-only"
            : Above(path).FirstOrDefault(File.Exists) is { } file ? $"{file} is a file, not a folder"
            : reason is FileNotFoundException or DirectoryNotFoundException ? "the system makes no files in this place"
            : reason.Message;
    }

    private static IEnumerable<string> Above(string path)
    {
        for (var above = Path.GetDirectoryName(path); !string.IsNullOrEmpty(above); above = Path.GetDirectoryName(above))
        {
            yield return above;
        }
    }
}
