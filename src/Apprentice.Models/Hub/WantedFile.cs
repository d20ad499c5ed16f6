namespace Apprentice.Models.Hub;

/// <summary>A file to be downloaded.</summary>
/// <param name="Address">Allowed by <see cref="WebAddress"/>.</param>
/// <param name="Path">Where it is to lie; the folder is there.</param>
/// <param name="Sha256">In lower-case hex, where it is known.</param>
/// <param name="Bytes">Where they are known.</param>
/// <param name="IsGguf">Whether it must be a GGUF file, which its first bytes show.</param>
/// <param name="IsFixed">Whether the address gives the same file for ever: it names a commit.</param>
internal sealed record WantedFile(Uri Address, string Path, string? Sha256 = null, long? Bytes = null, bool IsGguf = false, bool IsFixed = false)
{
    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>How far a download is.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Done">Bytes that are there, those of earlier attempts included.</param>
/// <param name="Total">Bytes in all, or null where the server does not say.</param>
/// <param name="BytesPerSecond">Of the last seconds.</param>
/// <param name="Note">Something to tell besides, such as a connection that was cut.</param>
public sealed record DownloadProgress(string File, long Done, long? Total, double BytesPerSecond, string? Note = null)
{
    /// <summary>Estimated; null where there is nothing to estimate from.</summary>
    public TimeSpan? Remaining => Total is { } total && BytesPerSecond > 0 && (total - Done) / BytesPerSecond is < 1e7 and var seconds ? TimeSpan.FromSeconds(seconds) : null;
}
