using Apprentice.Data;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">ggml's name, such as <c>blk.0.attn_q.weight</c>.</param>
/// <param name="TypeId">ggml's type number.</param>
/// <param name="TypeName">ggml's type name, such as <c>Q4_K</c>.</param>
/// <param name="Dimensions">Sizes in ggml's order: ne[0], the contiguous one, first. A [rows, columns] matrix is (columns, rows).</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="ByteLength">Bytes, without padding.</param>
public sealed record GgufTensorInfo(string Name, uint TypeId, string TypeName, IReadOnlyList<long> Dimensions, long Offset, long ByteLength)
{
    /// <summary>The product of the dimensions.</summary>
    public long Elements => Dimensions.Aggregate(1L, (product, n) => product * n);
}

/// <summary>
/// The header of a GGUF file, version 2 or 3, little-endian (specification: ggml's docs/gguf.md). It knows where each
/// tensor lies, not what it means: names and the row order of q and k are the model mapping's affair.
/// </summary>
public sealed class GgufFile
{
    internal const string ErrorCode = "bad_gguf";

    private readonly Dictionary<string, GgufTensorInfo> byName;

    internal GgufFile(string path, uint version, int alignment, GgufMetadata metadata, IReadOnlyList<GgufTensorInfo> tensors)
    {
        (Path, Version, Alignment, Metadata, Tensors) = (path, version, alignment, metadata, tensors);
        byName = tensors.ToDictionary(t => t.Name);
    }

    public string Path { get; }

    public uint Version { get; }

    /// <summary>Tensors start at multiples of this many bytes from the start of the data.</summary>
    public int Alignment { get; }

    public GgufMetadata Metadata { get; }

    /// <summary>In the order of the header.</summary>
    public IReadOnlyList<GgufTensorInfo> Tensors { get; }

    /// <exception cref="InputException">It is not there, or not a sound GGUF file of version 2 or 3.</exception>
    public static GgufFile Open(string path)
    {
        using var reader = new BoundedReader(path, ErrorCode);
        return GgufHeader.Read(reader);
    }

    public GgufTensorInfo? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>How the engine holds this tensor.</summary>
    /// <exception cref="InputException">It cannot compute with this type.</exception>
    public StorageType StorageTypeOf(GgufTensorInfo tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return GgmlType.All[tensor.TypeId].Storage ?? throw new InputException(
            "unsupported_tensor_type",
            $"tensor '{tensor.Name}' is stored as {tensor.TypeName}, which is not supported; supported are {string.Join(", ", Enum.GetNames<StorageType>())}",
            Path);
    }

    /// <summary>A whole tensor widened to float32: for small ones; large ones stay in the mapped file.</summary>
    /// <exception cref="InputException">There is no such tensor, or its type is not supported.</exception>
    public float[] ReadFloats(string name)
    {
        var tensor = Find(name) ?? throw new InputException(ErrorCode, $"there is no tensor '{name}'", Path);
        using var reader = new BoundedReader(Path, ErrorCode);
        return TensorReading.ReadFloats(reader, name, StorageTypeOf(tensor), tensor.Offset, tensor.ByteLength, tensor.Elements);
    }
}
