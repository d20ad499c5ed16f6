using Apprentice.Data;
using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">Its name, such as <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
/// <param name="DType">The format's name of the element type, such as <c>BF16</c>.</param>
/// <param name="Shape">Row-major, the contiguous dimension last; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="ByteLength">Bytes.</param>
public sealed record SafetensorsTensorInfo(string Name, string DType, IReadOnlyList<long> Shape, long Offset, long ByteLength)
{
    /// <summary>The product of the shape.</summary>
    public long Elements => Shape.Aggregate(1L, (product, n) => product * n);
}

/// <summary>
/// The header of a safetensors file: eight bytes of length, a JSON object, then the data without holes
/// (specification: the README of the safetensors project).
/// </summary>
public sealed class SafetensorsFile
{
    internal const string ErrorCode = "bad_safetensors";

    private readonly Dictionary<string, SafetensorsTensorInfo> byName;

    internal SafetensorsFile(string path, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<SafetensorsTensorInfo> tensors)
    {
        (Path, Metadata, Tensors) = (path, metadata, tensors);
        byName = tensors.ToDictionary(t => t.Name);
    }

    public string Path { get; }

    /// <summary>The header's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>In the order of their data.</summary>
    public IReadOnlyList<SafetensorsTensorInfo> Tensors { get; }

    /// <exception cref="InputException">It is not there, or not a sound safetensors file.</exception>
    public static SafetensorsFile Open(string path)
    {
        using var reader = new BoundedReader(path, ErrorCode);
        return SafetensorsHeader.Read(reader);
    }

    public SafetensorsTensorInfo? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>How the engine holds this tensor.</summary>
    /// <exception cref="InputException">It cannot compute with this type.</exception>
    public StorageType StorageTypeOf(SafetensorsTensorInfo tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return SafetensorsType.All[tensor.DType].Storage ?? throw new InputException(
            "unsupported_tensor_type",
            $"tensor '{tensor.Name}' is stored as {tensor.DType}, which is not supported as a weight; F32, F16 and BF16 are",
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
