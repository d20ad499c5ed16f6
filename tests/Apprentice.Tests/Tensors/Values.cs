using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors;

/// <summary>Test values that depend on a seed alone.</summary>
internal sealed class Values(ulong seed)
{
    private ulong _state = seed * 0x9E3779B97F4A7C15UL + 1;

    /// <summary>Every instruction set that this process may use.</summary>
    public static IEnumerable<SimdLevel> SimdLevels => Enum.GetValues<SimdLevel>().Where(l => l <= SimdDetection.Current);

    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15UL;
        var z = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    public int Below(int bound) => (int)(NextBits() % (ulong)bound);

    /// <summary>Uniform in [-size, size).</summary>
    public float Float(float size = 1) => (float)((NextBits() >> 40) * (2.0 / (1 << 24)) - 1) * size;

    public float[] Floats(long count, float size = 1) => [.. Enumerable.Range(0, (int)count).Select(_ => Float(size))];

    public Weight Weight(string name, bool trainable, float size, params long[] shape) =>
        Apprentice.Tensors.Weight.FromValues(name, trainable, Floats(shape.Aggregate(1L, (a, b) => a * b), size), shape);

    /// <summary>A frozen weight of random blocks whose values are of moderate size; columns are made up to whole blocks.</summary>
    public unsafe Weight Stored(string name, StorageType type, int rows, int columns)
    {
        var block = BlockFormats.BlockElements(type);
        columns = (columns + block - 1) / block * block;
        if (type == StorageType.F32)
        {
            return Weight(name, trainable: false, 1, rows, columns);
        }

        var buffer = new Apprentice.Tensors.Memory.NativeBuffer(BlockFormats.RowBytes(type, columns) * rows);
        var bytes = new Span<byte>(buffer.Floats, (int)buffer.Bytes);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)NextBits();
        }

        // The 16-bit numbers (scales, minima or the elements themselves) must be small and finite. Those of K-quants are
        // multiplied with a scale of up to 6 bits, or of 8 with its sign.
        for (var at = 0; at < bytes.Length; at += BlockFormats.BlockBytes(type))
        {
            foreach (var (place, size) in SixteenBits(type))
            {
                var value = Float(size);
                BitConverter.TryWriteBytes(bytes[(at + place)..], type == StorageType.BF16 ? HalfPrecision.ToBF16(value) : HalfPrecision.ToF16(value));
            }

            if (type == StorageType.MXFP4)
            {
                bytes[at] = (byte)(120 + Below(8));
            }
        }

        return new Weight(name, type, [rows, columns], buffer, (byte*)buffer.Floats);
    }

    /// <summary>Where a block has numbers of 16 bits, and how large they may be.</summary>
    private static (int Place, float Size)[] SixteenBits(StorageType type) => type switch
    {
        StorageType.F16 or StorageType.BF16 => [(0, 1)],
        StorageType.Q4_1 or StorageType.Q5_1 => [(0, 0.05f), (2, 0.5f)],
        StorageType.Q2_K => [(80, 0.02f), (82, 0.02f)],
        StorageType.Q3_K => [(108, 0.005f)],
        StorageType.Q4_K or StorageType.Q5_K => [(0, 0.001f), (2, 0.01f)],
        StorageType.Q6_K => [(208, 0.0005f)],
        StorageType.IQ4_NL => [(0, 0.01f)],
        StorageType.IQ4_XS => [(0, 0.0005f)],
        StorageType.MXFP4 => [],
        _ => [(0, 0.05f)],
    };
}
