using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

public class BlockFormatsTests
{
    public static TheoryData<StorageType> Types => new(Enum.GetValues<StorageType>());

    /// <summary>The vectorised decoder against one element at a time, straight from the format's description.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void DecodesLikeItsScalarTwin(StorageType type)
    {
        for (var blocks = 1; blocks <= (BlockFormats.BlockElements(type) == 1 ? 256 : 9); blocks++)
        {
            var count = blocks * BlockFormats.BlockElements(type);
            const int Offset = 3; // no alignment may be assumed
            var source = NoisyBytes((int)BlockFormats.RowBytes(type, count) + Offset, seed: (uint)blocks);
            var decoded = new float[count];
            BlockFormats.ToFloats(type, source, Offset, decoded);
            for (var i = 0; i < count; i++)
            {
                var expected = Element(type, source.AsSpan(Offset), i);
                Assert.True(
                    Bits(expected) == Bits(decoded[i]) || (float.IsNaN(expected) && float.IsNaN(decoded[i])),
                    $"{type}, {blocks} blocks, element {i}: {decoded[i]:R} instead of {expected:R}");
            }
        }
    }

    [Fact]
    public void EveryFloat16BecomesTheFloat32OfTheSameValue()
    {
        var source = new byte[2 * 65536];
        for (var i = 0; i < 65536; i++)
        {
            BitConverter.TryWriteBytes(source.AsSpan(2 * i), (ushort)i);
        }

        var decoded = new float[65536];
        BlockFormats.ToFloats(StorageType.F16, source, 0, decoded);
        for (var i = 0; i < 65536; i++)
        {
            var expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            Assert.True(float.IsNaN(expected) ? float.IsNaN(decoded[i]) : Bits(expected) == Bits(decoded[i]), $"0x{i:X4}");
        }
    }

    [Fact]
    public void EveryHalfPrecisionNumberSurvivesTheWayThereAndBack()
    {
        for (var i = 0; i <= ushort.MaxValue; i++)
        {
            var bits = (ushort)i;
            Assert.True(float.IsNaN(HalfPrecision.FromBF16(bits))
                ? float.IsNaN(HalfPrecision.FromBF16(HalfPrecision.ToBF16(HalfPrecision.FromBF16(bits))))
                : HalfPrecision.ToBF16(HalfPrecision.FromBF16(bits)) == bits);
            Assert.True(float.IsNaN(HalfPrecision.FromF16(bits))
                ? float.IsNaN(HalfPrecision.FromF16(HalfPrecision.ToF16(HalfPrecision.FromF16(bits))))
                : HalfPrecision.ToF16(HalfPrecision.FromF16(bits)) == bits);
        }
    }

    [Fact]
    public void RefusesPartsOfBlocksAndShortSources()
    {
        Assert.Throws<ArgumentException>(() => BlockFormats.RowBytes(StorageType.Q4_0, 33));
        Assert.Throws<ArgumentException>(() => BlockFormats.RowBytes(StorageType.F32, -1));
        Assert.Throws<ArgumentException>(() => BlockFormats.ToFloats(StorageType.Q8_0, new byte[33], 0, new float[32]));
        Assert.Throws<ArgumentException>(() => BlockFormats.ToFloats(StorageType.F16, new byte[4], 2, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockFormats.RowBytes((StorageType)99, 32));
    }

    private static float Element(StorageType type, ReadOnlySpan<byte> row, int i)
    {
        var block = row[(i / BlockFormats.BlockElements(type) * BlockFormats.BlockBytes(type))..];
        var j = i % BlockFormats.BlockElements(type);
        return type switch
        {
            StorageType.F32 => BitConverter.ToSingle(block),
            StorageType.F16 => (float)BitConverter.ToHalf(block),
            StorageType.BF16 => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(block) << 16),
            StorageType.Q4_0 => Scale(block) * (Nibble(block[2..], j) - 8),
            StorageType.Q4_1 => (Scale(block) * Nibble(block[4..], j)) + Scale(block[2..]),
            StorageType.Q5_0 => Scale(block) * ((Nibble(block[6..], j) | FifthBit(block[2..], j)) - 16),
            StorageType.Q5_1 => (Scale(block) * (Nibble(block[8..], j) | FifthBit(block[4..], j))) + Scale(block[2..]),
            StorageType.Q8_0 => Scale(block) * (sbyte)block[2 + j],
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
    }

    private static float Scale(ReadOnlySpan<byte> block) => (float)BitConverter.ToHalf(block);

    private static int Nibble(ReadOnlySpan<byte> codes, int j) => j < 16 ? codes[j] & 0xF : codes[j - 16] >> 4;

    private static int FifthBit(ReadOnlySpan<byte> bits, int j) => (int)(BitConverter.ToUInt32(bits) >> j & 1) << 4;

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static byte[] NoisyBytes(int count, uint seed)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            seed = (seed * 1664525) + 1013904223;
            bytes[i] = (byte)(seed >> 24);
        }

        return bytes;
    }
}
