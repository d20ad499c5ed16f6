using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Models.Weights;

/// <summary>Fills <paramref name="destination"/> with a tensor's elements (row-major) from <paramref name="start"/> on.</summary>
public delegate void FillFloats(long start, Span<float> destination);

/// <summary>A tensor to be written: its elements are asked for in pieces, so that none needs to be copied whole.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Row-major, the contiguous dimension last.</param>
/// <param name="Fill">Gives the elements.</param>
/// <param name="Type">F32, F16 or BF16; the latter two round to nearest, ties to even.</param>
public sealed record SafetensorsTensor(string Name, IReadOnlyList<long> Shape, FillFloats Fill, StorageType Type = StorageType.F32)
{
    /// <summary>A tensor whose elements are at hand.</summary>
    public SafetensorsTensor(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values)
        : this(name, shape, (start, destination) => values.Span.Slice((int)start, destination.Length).CopyTo(destination))
    {
        if (shape.Aggregate(1L, (product, n) => checked(product * n)) != values.Length)
        {
            throw new ArgumentException($"{values.Length} values for '{name}' of shape [{string.Join(", ", shape)}]", nameof(values));
        }
    }

    /// <summary>A matrix [rows, columns] to be written as [columns, rows]: made whole with its first piece, let go with its last.</summary>
    public static SafetensorsTensor Turned(string name, int rows, int columns, FillFloats fill, StorageType type = StorageType.F32)
    {
        Weight? turned = null;
        return new(
            name,
            [columns, rows],
            (start, destination) =>
            {
                if (turned is null)
                {
                    var values = new float[(long)rows * columns];
                    fill(0, values);
                    turned = Weight.FromValues(name, trainable: false, values, rows, columns).Turned();
                }

                turned.CopyTo(start, destination);
                turned = start + destination.Length < turned.Count ? turned : null;
            },
            type);
    }
}

/// <summary>
/// Writes a safetensors file with the same bytes as the reference library: larger element types first, then by name;
/// header padded with spaces so that the data start at a multiple of 8.
/// </summary>
public static class SafetensorsWriter
{
    private const int ChunkElements = 1 << 16;

    /// <summary>Writes a file and has it flushed to the disk. The caller makes it appear whole (write aside, rename).</summary>
    public static void Write(string path, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        Write(stream, tensors, metadata);
        stream.Flush(flushToDisk: true);
    }

    /// <exception cref="ArgumentException">Two tensors share a name, or a type is not F32, F16 or BF16.</exception>
    public static void Write(Stream stream, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        SafetensorsTensor[] ordered = [.. tensors.OrderBy(t => Rank(t.Type)).ThenBy(t => t.Name, StringComparer.Ordinal)];
        if (ordered.GroupBy(t => t.Name).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw new ArgumentException($"two tensors are called '{twice.Key}'", nameof(tensors));
        }

        WriteHeader(stream, ordered, metadata);
        var floats = new float[ChunkElements];
        var bytes = new byte[ChunkElements * sizeof(float)];
        foreach (var tensor in ordered)
        {
            var elements = Elements(tensor);
            for (var start = 0L; start < elements; start += ChunkElements)
            {
                var chunk = floats.AsSpan(0, (int)Math.Min(ChunkElements, elements - start));
                tensor.Fill(start, chunk);
                stream.Write(Encode(tensor.Type, chunk, bytes));
            }
        }
    }

    private static void WriteHeader(Stream stream, SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                var end = checked(offset + (Elements(tensor) * BlockFormats.BlockBytes(tensor.Type)));
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", DType(tensor));
                WriteNumbers(json, "shape", tensor.Shape);
                WriteNumbers(json, "data_offsets", [offset, end]);
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        while (header.Length % 8 != 0)
        {
            header.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        header.Position = 0;
        header.CopyTo(stream);
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static ReadOnlySpan<byte> Encode(StorageType type, ReadOnlySpan<float> values, byte[] bytes)
    {
        if (type == StorageType.F32)
        {
            return MemoryMarshal.AsBytes(values);
        }

        var written = bytes.AsSpan(0, (int)BlockFormats.RowBytes(type, values.Length));
        BlockFormats.FromFloats(type, values, written);
        return written;
    }

    private static long Elements(SafetensorsTensor tensor) => tensor.Shape.Aggregate(1L, (product, n) => checked(product * n));

    private static string DType(SafetensorsTensor tensor) => tensor.Type is StorageType.F32 or StorageType.F16 or StorageType.BF16
        ? tensor.Type.ToString()
        : throw new ArgumentException($"tensor '{tensor.Name}': safetensors has no type {tensor.Type}", nameof(tensor));

    /// <summary>The reference orders by element type, the largest alignment first.</summary>
    private static int Rank(StorageType type) => type switch
    {
        StorageType.F32 => 0,
        StorageType.BF16 => 1,
        _ => 2,
    };
}
