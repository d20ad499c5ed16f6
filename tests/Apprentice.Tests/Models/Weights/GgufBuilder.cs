using System.Runtime.InteropServices;
using System.Text;

namespace Apprentice.Tests.Models.Weights;

/// <summary>Puts a GGUF file of version 3 together, byte by byte as the specification says.</summary>
internal sealed class GgufBuilder
{
    private const int Alignment = 32;
    private readonly List<(string Key, object Value)> _metadata = [];
    private readonly List<(string Name, uint Type, long[] Dimensions, byte[] Data)> _tensors = [];

    /// <param name="value">uint, int, float, bool, ulong, string, or an array of one of these or of arrays.</param>
    public GgufBuilder Add(string key, object value)
    {
        _metadata.Add((key, value));
        return this;
    }

    /// <param name="dimensions">In ggml's order, the contiguous one first.</param>
    public GgufBuilder Tensor(string name, uint type, long[] dimensions, byte[] data)
    {
        _tensors.Add((name, type, dimensions, data));
        return this;
    }

    /// <summary>A tensor of F32 or F16; the shape has the contiguous dimension last.</summary>
    public GgufBuilder Floats(string name, IReadOnlyList<long> shape, float[] values, bool half = false) => Tensor(
        name,
        half ? 1u : 0u,
        [.. shape.Reverse()],
        half ? MemoryMarshal.AsBytes<Half>(values.Select(v => (Half)v).ToArray()).ToArray() : MemoryMarshal.AsBytes<float>(values).ToArray());

    public byte[] Build()
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((ulong)_tensors.Count);
        w.Write((ulong)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            Text(key);
            w.Write(TypeOf(value.GetType()));
            Value(value);
        }

        var offset = 0L;
        foreach (var (name, type, dimensions, data) in _tensors)
        {
            Text(name);
            w.Write((uint)dimensions.Length);
            Array.ForEach(dimensions, w.Write);
            w.Write(type);
            w.Write(offset);
            offset += (data.Length + Alignment - 1) / Alignment * Alignment;
        }

        Pad();
        foreach (var (_, _, _, data) in _tensors)
        {
            w.Write(data);
            Pad();
        }

        return stream.ToArray();

        void Pad() => w.Write(new byte[(Alignment - (stream.Position % Alignment)) % Alignment]);

        void Text(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            w.Write((ulong)utf8.Length);
            w.Write(utf8);
        }

        void Value(object value)
        {
            switch (value)
            {
                case uint n: w.Write(n); break;
                case int n: w.Write(n); break;
                case float x: w.Write(x); break;
                case bool b: w.Write(b); break;
                case ulong n: w.Write(n); break;
                case string text: Text(text); break;
                case Array items:
                    w.Write(TypeOf(items.GetType().GetElementType()!));
                    w.Write((ulong)items.Length);
                    foreach (var item in items)
                    {
                        Value(item);
                    }

                    break;
            }
        }
    }

    private static uint TypeOf(Type type) =>
        type == typeof(uint) ? 4u
        : type == typeof(int) ? 5u
        : type == typeof(float) ? 6u
        : type == typeof(bool) ? 7u
        : type == typeof(string) ? 8u
        : type.IsArray ? 9u
        : type == typeof(ulong) ? 10u
        : throw new ArgumentException($"GGUF metadata of type {type}");
}
