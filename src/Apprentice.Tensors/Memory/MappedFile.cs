using System.IO.MemoryMappedFiles;

namespace Apprentice.Tensors.Memory;

/// <summary>
/// A weight file mapped read-only into memory. Weights made from it hold pointers into the mapping, so it must
/// outlive them. The file must not be truncated while it is mapped: writers write aside and rename.
/// </summary>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    /// <exception cref="IOException">The file cannot be opened or is empty.</exception>
    public MappedFile(string path)
    {
        Path = path;

        // The length of what is open: FileInfo's is that of the link where the path is one, as in the Hugging Face cache.
        using var handle = File.OpenHandle(path);
        Length = RandomAccess.GetLength(handle);
        if (Length == 0)
        {
            throw new IOException($"{path} is empty");
        }

        _file = MemoryMappedFile.CreateFromFile(handle, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>A frozen weight that stays where it is in the file.</summary>
    /// <param name="name">Its name in messages.</param>
    /// <param name="offset">First byte within the file.</param>
    /// <param name="type">How its elements are stored.</param>
    /// <param name="shape">Outermost dimension first; one or two dimensions.</param>
    /// <exception cref="ArgumentException">The weight would not lie within the file, or its rows are no whole blocks.</exception>
    public Weight Weight(string name, long offset, StorageType type, params long[] shape)
    {
        var weight = new Weight(name, type, shape, this, _start + offset);
        if (offset < 0 || offset > Length || weight.Bytes > Length - offset)
        {
            throw new ArgumentException($"{name}: {weight.Bytes} bytes at {offset} do not lie within {Path} ({Length} bytes)");
        }

        return weight;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
