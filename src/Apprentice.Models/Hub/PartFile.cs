using System.Security.Cryptography;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Hub;

/// <summary>What a part belongs to: with it the server can tell whether the rest is of the same file.</summary>
/// <param name="Address">Without query.</param>
/// <param name="ETag">The server's mark of this very content (a strong entity tag, RFC 9110 section 8.8.3), or null.</param>
/// <param name="Bytes">Of the whole file, or null.</param>
/// <param name="Sha256">Of the whole file, or null.</param>
internal sealed record PartOrigin(string Address, string? ETag, long? Bytes, string? Sha256);

/// <summary>
/// A file that is not whole yet: <c>NAME.part</c>, and <c>NAME.part.json</c>, which says what it belongs to. It outlives the process,
/// and gets its name only when it is whole. The hash is worked out as the bytes come.
/// </summary>
internal sealed class PartFile : IDisposable
{
    private const string Ending = ".part";
    private const int LargestOrigin = 1 << 16;
    private readonly string _path;
    private readonly byte[] _head = new byte[FileKind.HeadLength];
    private FileStream? _stream;
    private IncrementalHash _hash = Sha256.Begin();

    private PartFile(string path) => _path = path;

    /// <summary>Bytes that are there.</summary>
    public long Length { get; private set; }

    /// <summary>Null before the first byte.</summary>
    public PartOrigin? Origin { get; private set; }

    /// <summary>Whether some of the bytes were brought by an earlier connection, or an earlier process.</summary>
    public bool IsResumed { get; set; }

    /// <summary>Its first bytes, as far as they are there.</summary>
    public ReadOnlySpan<byte> Head => _head.AsSpan(0, (int)Math.Min(Length, _head.Length));

    /// <summary>In lower-case hex.</summary>
    public string Hash => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Those of an interrupted download, if they are of the file that is wanted; else an empty one.</summary>
    public static PartFile Open(WantedFile wanted, CancellationToken cancel)
    {
        var part = new PartFile(wanted.Path);
        try
        {
            if (File.Exists(wanted.Path))
            {
                File.Move(wanted.Path, wanted.Path + Ending, overwrite: true); // whole, of several that are wanted: it is looked at again
            }

            var origin = ReadOrigin(part.OriginFile);
            part._stream = new FileStream(wanted.Path + Ending, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0); // what has come survives a kill
            if (origin is not null && part._stream.Length > 0 && BelongsTo(origin, wanted) && !(part._stream.Length > (origin.Bytes ?? long.MaxValue)))
            {
                part.TakeOver(origin, cancel);
            }

            return part;
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            part.Dispose();
            throw Failure(wanted.Path, e);
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>Names of a folder that are of a file of this name.</summary>
    public static bool IsOf(string entry, string name) => entry == name || entry == name + Ending || entry == name + Ending + ".json";

    /// <summary>Bytes that are there of a file, whole or not.</summary>
    public static long BytesOf(string path) => new[] { path, path + Ending }.Select(p => new FileInfo(p)).Where(f => f.Exists).Sum(f => f.Length);

    /// <summary>Begins anew, with what is said of the file now.</summary>
    public void Begin(PartOrigin? origin)
    {
        Guard(() =>
        {
            _stream!.SetLength(0);
            if (origin is not null)
            {
                AtomicFile.Write(OriginFile, stream => JsonSerializer.Serialize(stream, origin));
            }
        });
        (Length, Origin, IsResumed) = (0, origin, false);
        _hash.Dispose();
        _hash = Sha256.Begin();
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream!.Write(bytes);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw Failure(_path, e);
        }

        Count(bytes);
    }

    /// <summary>Gives it its name.</summary>
    public void Complete()
    {
        Guard(() =>
        {
            _stream!.Flush(flushToDisk: true);
            _stream.Dispose();
            File.Move(_path + Ending, _path);
        });
    }

    /// <summary>Removes it.</summary>
    public void Delete()
    {
        _stream?.Dispose();
        File.Delete(_path + Ending);
        File.Delete(OriginFile);
    }

    /// <summary>What has come stays.</summary>
    public void Dispose()
    {
        _hash.Dispose();
        try
        {
            if (_stream is { CanRead: true, Length: 0 })
            {
                Delete();
            }

            _stream?.Dispose();
        }
        catch (IOException)
        {
            // The disk is full, which has been said.
        }
    }

    private string OriginFile => _path + Ending + ".json";

    private static bool BelongsTo(PartOrigin origin, WantedFile wanted) =>
        origin.Sha256 is { } sha256 && wanted.Sha256 is { } wantedSha256 ? sha256 == wantedSha256
            : origin.Address == WebAddress.Shown(wanted.Address) && (origin.ETag is not null || origin.Sha256 is not null || wanted.IsFixed) && (origin.Bytes ?? wanted.Bytes) == (wanted.Bytes ?? origin.Bytes);

    private static PartOrigin? ReadOrigin(string file)
    {
        try
        {
            return !File.Exists(file) || new FileInfo(file).Length > LargestOrigin ? null : JsonSerializer.Deserialize<PartOrigin>(File.ReadAllBytes(file));
        }
        catch (JsonException)
        {
            return null; // whatever it was, it is begun anew
        }
    }

    private void TakeOver(PartOrigin origin, CancellationToken cancel)
    {
        var buffer = new byte[1 << 20];
        for (int read; (read = _stream!.Read(buffer)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            Count(buffer.AsSpan(0, read));
        }

        (Origin, IsResumed) = (origin, true);
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        if (Length < _head.Length)
        {
            bytes[..(int)Math.Min(bytes.Length, _head.Length - Length)].CopyTo(_head.AsSpan((int)Length));
        }

        Length += bytes.Length;
        _hash.AppendData(bytes);
    }

    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw Failure(_path, e);
        }
    }

    private static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>A failure of the disk must not be taken for one of the network.</summary>
    private static Exception Failure(string path, Exception e) => e is IOException io && DiskSpace.IsFull(io)
        ? new RunFailedException("disk_full", $"disk full while writing {path}; what has come is kept", "free some space and run the command again: it goes on there", e)
        : Unwritable.Error(path, e);
}
