namespace Apprentice.Data.Files;

/// <summary>A file that one process at a time has. The system drops it when the process ends, however it ends, so it is never left behind.</summary>
public static class FileLock
{
    /// <summary>Takes it, to be disposed; null where another process has it.</summary>
    /// <param name="file">Is made where it is not there.</param>
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static FileStream? TryTake(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && !DiskSpace.IsFull(e) && !Unwritable.IsReadOnlyDisk(e))
        {
            return null;
        }
    }
}
