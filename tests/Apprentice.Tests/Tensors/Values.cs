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

    /// <summary>A frozen weight of random blocks whose values are of moderate size.</summary>
    public unsafe Weight Stored(string name, StorageType type, int rows, int columns)
    {
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

        // The 16-bit numbers (scales, minima or the elements themselves) must be small and finite.
        var block = BlockFormats.BlockBytes(type);
        var halves = type is StorageType.Q4_1 or StorageType.Q5_1 ? 2 : 1;
        for (var at = 0; at < bytes.Length; at += block)
        {
            for (var h = 0; h < halves; h++)
            {
                var value = Float(type is StorageType.F16 or StorageType.BF16 ? 1 : h == 0 ? 0.05f : 0.5f);
                BitConverter.TryWriteBytes(
                    bytes[(at + 2 * h)..],
                    type == StorageType.BF16 ? HalfPrecision.ToBF16(value) : HalfPrecision.ToF16(value));
            }
        }

        return new Weight(name, type, [rows, columns], buffer, (byte*)buffer.Floats);
    }
}
