using Apprentice.Models.Weights;

namespace Apprentice.Tests.Golden;

/// <summary>A golden safetensors file: floats and integers by name.</summary>
internal sealed class GoldenTensors(string path)
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(path);

    public IEnumerable<string> Names => _file.Tensors.Select(t => t.Name);

    public bool Has(string name) => _file.Find(name) is not null;

    public float[] Floats(string name) => _file.ReadFloats(name);

    public long[] Shape(string name) => [.. _file.Find(name)!.Shape];

    /// <summary>A tensor of 32-bit or 64-bit integers.</summary>
    public int[] Ints(string name)
    {
        var tensor = _file.Find(name)!;
        Assert.Contains(tensor.DType, new[] { "I32", "I64" });
        using var stream = File.OpenRead(_file.Path);
        stream.Position = tensor.Offset;
        var bytes = new byte[tensor.ByteLength];
        stream.ReadExactly(bytes);
        return tensor.DType == "I32"
            ? [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToInt32(bytes, 4 * i))]
            : [.. Enumerable.Range(0, bytes.Length / 8).Select(i => checked((int)BitConverter.ToInt64(bytes, 8 * i)))];
    }
}
