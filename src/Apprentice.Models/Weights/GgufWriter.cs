using System.Text;

namespace Apprentice.Models.Weights;

/// <summary>A tensor to be written into a GGUF file.</summary>
/// <param name="Name">ggml's name.</param>
/// <param name="Shape">Row-major, the contiguous dimension last.</param>
/// <param name="Type">ggml's type.</param>
/// <param name="Write">Writes exactly the bytes that the shape takes in that type.</param>
internal sealed record GgufTensor(string Name, IReadOnlyList<long> Shape, GgmlType Type, Action<Stream> Write)
{
    public long Bytes => checked(Shape.Aggregate(1L, (product, n) => checked(product * n)) / Type.BlockElements * Type.BlockBytes);
}

/// <summary>Writes a GGUF file of version 3, little-endian, as ggml's docs/gguf.md describes it.</summary>
internal static class GgufWriter
{
    private const uint Version = 3;
    private const int Alignment = 32;

    /// <param name="stream">Where the file goes, from its beginning on; need not seek.</param>
    /// <param name="metadata">Keys and values in their order: uint, int, float, bool, string, or an array of one of these.</param>
    /// <param name="tensors">In the order of the file.</param>
    public static void Write(Stream stream, IEnumerable<(string Key, object Value)> metadata, IReadOnlyList<GgufTensor> tensors)
    {
        using var header = new MemoryStream();
        using (var w = new BinaryWriter(header, Encoding.UTF8, leaveOpen: true))
        {
            WriteHeader(w, [.. metadata], tensors);
        }

        header.WriteTo(stream);
        Pad(stream, header.Length);
        foreach (var tensor in tensors)
        {
            tensor.Write(stream);
            Pad(stream, tensor.Bytes);
        }
    }

    private static void WriteHeader(BinaryWriter w, (string Key, object Value)[] metadata, IReadOnlyList<GgufTensor> tensors)
    {
        w.Write("GGUF"u8);
        w.Write(Version);
        w.Write((ulong)tensors.Count);
        w.Write((ulong)metadata.Length);
        foreach (var (key, value) in metadata)
        {
            WriteText(w, key);
            w.Write((uint)TypeOf(value.GetType()));
            WriteValue(w, value);
        }

        var offset = 0L;
        foreach (var tensor in tensors)
        {
            WriteText(w, tensor.Name);
            w.Write((uint)tensor.Shape.Count);
            foreach (var size in tensor.Shape.Reverse()) // ggml counts the contiguous dimension first
            {
                w.Write(size);
            }

            w.Write(tensor.Type.Id);
            w.Write(offset);
            offset += tensor.Bytes + Padding(tensor.Bytes);
        }
    }

    private static void WriteValue(BinaryWriter w, object value)
    {
        switch (value)
        {
            case uint number: w.Write(number); break;
            case int number: w.Write(number); break;
            case float number: w.Write(number); break;
            case bool flag: w.Write(flag); break;
            case string text: WriteText(w, text); break;
            case Array items:
                w.Write((uint)TypeOf(items.GetType().GetElementType()!));
                w.Write((ulong)items.Length);
                foreach (var item in items)
                {
                    WriteValue(w, item);
                }

                break;
        }
    }

    private static GgufValueType TypeOf(Type type) =>
        type == typeof(uint) ? GgufValueType.UInt32
        : type == typeof(int) ? GgufValueType.Int32
        : type == typeof(float) ? GgufValueType.Float32
        : type == typeof(bool) ? GgufValueType.Bool
        : type == typeof(string) ? GgufValueType.String
        : type.IsArray ? GgufValueType.Array
        : throw new ArgumentException($"metadata of type {type} are not written", nameof(type));

    private static void WriteText(BinaryWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        w.Write((ulong)bytes.Length);
        w.Write(bytes);
    }

    private static void Pad(Stream stream, long written) => stream.Write(new byte[Padding(written)]);

    private static int Padding(long bytes) => (int)((Alignment - bytes % Alignment) % Alignment);
}
