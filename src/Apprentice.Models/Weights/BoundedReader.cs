using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>
/// Reads the little-endian header of a file that nobody vouches for. Every length is compared with the bytes that are
/// left before anything is allocated, and what is allocated for the parsed header may not pass the file's own
/// length by more than <see cref="Allowance"/>: a header of many tiny entries would otherwise cost many times its size.
/// Whatever is wrong becomes an <see cref="InputException"/> that names the file.
/// </summary>
internal sealed class BoundedReader : IDisposable
{
    private const long Allowance = 32L << 20;
    private const int StringOverhead = 32;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly FileStream stream;
    private readonly string code;
    private long budget;

    /// <param name="path">The file.</param>
    /// <param name="code">The error code of every complaint about this file, such as <c>bad_gguf</c>.</param>
    public BoundedReader(string path, string code)
    {
        Path = path;
        this.code = code;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException("file_not_found", $"there is no file '{path}'", path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InputException("file_unreadable", $"'{path}' cannot be opened: {e.Message}", path);
        }

        Length = stream.Length;
        budget = Length + Allowance;
        RefuseOtherKinds();
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Bytes read so far.</summary>
    public long Position { get; private set; }

    private long Remaining => Length - Position;

    public InputException Error(string message) => new(code, message, Path);

    /// <summary>The error of a file that is not all there, as a download leaves it that was broken off.</summary>
    public InputException CutShort(string reason) =>
        new(code, Length == 0 ? "the file is empty" : $"the file is cut short or damaged: {reason}", Path, hint: "download it again, or copy it again from where it is whole");

    /// <summary>Counts an allocation that the file's content asks for, and refuses it when the sum is out of proportion.</summary>
    public void Charge(long bytes)
    {
        budget -= bytes;
        if (budget < 0)
        {
            throw Error("the header holds more entries than a file of this size should");
        }
    }

    /// <summary>A number of items that each take at least <paramref name="itemBytes"/> of the file's remaining bytes.</summary>
    /// <remarks>The name comes in two parts, put together only for an error: a vocabulary has a hundred thousand lengths.</remarks>
    public int ReadCount(string what, int itemBytes, string of = "")
    {
        var count = ReadUInt64(of.Length == 0 ? what : of);
        return count <= (ulong)(Remaining / itemBytes) && count <= (ulong)Array.MaxLength
            ? (int)count
            : throw CutShort($"{what}{of} is {count}, more than the {Remaining} bytes that are left can hold");
    }

    public byte ReadByte(string what)
    {
        Span<byte> bytes = stackalloc byte[1];
        Fill(bytes, what);
        return bytes[0];
    }

    public uint ReadUInt32(string what)
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes, what);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong ReadUInt64(string what)
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes, what);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public T Read<T>(string what)
        where T : unmanaged
    {
        Span<T> value = stackalloc T[1];
        Fill(MemoryMarshal.AsBytes(value), what);
        return value[0];
    }

    /// <summary>Numbers as they lie in the file.</summary>
    public T[] ReadArray<T>(int count, string what)
        where T : unmanaged
    {
        var bytes = (long)count * Marshal.SizeOf<T>();
        Need(bytes, what);
        Charge(bytes);
        var values = new T[count];
        Fill(MemoryMarshal.AsBytes(values.AsSpan()), what);
        return values;
    }

    /// <summary>
    /// UTF-8 with its length (64 bits) before it. Bytes that are not UTF-8 are an error, or become U+FFFD where
    /// <paramref name="lenient"/> says so (some published vocabularies hold tokens that are parts of a character).
    /// </summary>
    public string ReadString(string what, bool lenient, int longest = int.MaxValue)
    {
        var length = ReadCount("the length of ", itemBytes: 1, what);
        if (length == 0)
        {
            return "";
        }

        if (length > longest)
        {
            throw Error($"{what} is {length} bytes long; the most is {longest}");
        }

        Charge(StringOverhead + (2L * length) + (length > 256 ? length : 0));
        var bytes = length > 256 ? new byte[length] : stackalloc byte[length];
        Fill(bytes, what);
        try
        {
            return (lenient ? Encoding.UTF8 : Strict).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Error($"{what} is not UTF-8");
        }
    }

    /// <summary>Everything from here to the end: for files of text.</summary>
    public byte[] ReadAll() => Remaining <= Array.MaxLength
        ? ReadArray<byte>((int)Remaining, "the text")
        : throw Error("the file is too large");

    /// <summary>Bytes at an absolute offset that was checked before.</summary>
    public byte[] ReadAt(long offset, int length)
    {
        var bytes = new byte[length];
        stream.Position = offset;
        FillFromStream(bytes, "the data");
        return bytes;
    }

    public void Dispose() => stream.Dispose();

    /// <summary>What is left in place of a model's file by a failed download is no model, whatever its name says.</summary>
    private void RefuseOtherKinds()
    {
        Span<byte> head = stackalloc byte[FileKind.HeadLength];
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        stream.Position = 0;
        if (FileKind.Of(head) is { } kind && kind != FileKind.Gguf)
        {
            stream.Dispose();
            throw new InputException(code, $"this is {kind.Name}", Path, hint: kind.Remedy ?? "download the model's own file: .gguf, or .safetensors with its folder");
        }
    }

    private void Need(long bytes, string what)
    {
        if (bytes > Remaining)
        {
            throw CutShort($"it ends at byte {Length}, inside {what} at byte {Position}");
        }
    }

    private void Fill(Span<byte> bytes, string what)
    {
        Need(bytes.Length, what);
        FillFromStream(bytes, what);
        Position += bytes.Length;
    }

    private void FillFromStream(Span<byte> bytes, string what)
    {
        try
        {
            stream.ReadExactly(bytes);
        }
        catch (IOException e)
        {
            throw Error($"{what} cannot be read: {e.Message}");
        }
    }
}
