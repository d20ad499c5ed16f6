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
        Assert.Contains("multiple of 256", Assert.Throws<ArgumentException>(() => BlockFormats.RowBytes(StorageType.Q4_K, 288)).Message);
        Assert.Throws<ArgumentException>(() => BlockFormats.FromFloats(StorageType.Q6_K, new float[256], new byte[210]));
    }

    /// <summary>What is written is the nearest that can be read: within half a step of the scale, and an exact value comes back.</summary>
    [Theory]
    [InlineData(StorageType.Q8_0, 1 / 127f)]
    [InlineData(StorageType.Q4_0, 1 / 8f)]
    [InlineData(StorageType.Q4_1, 2 / 15f)]
    public void WrittenBlocksReadBackWithinHalfAStep(StorageType type, float step)
    {
        var values = new Values(7).Floats(32 * 40);
        (values[3], values[40]) = (1, -1); // one block with the largest value possible, one with the smallest
        values.AsSpan(64, 32).Clear();
        var bytes = new byte[BlockFormats.RowBytes(type, values.Length)];
        BlockFormats.FromFloats(type, values, bytes);
        var read = new float[values.Length];
        BlockFormats.ToFloats(type, bytes, 0, read);
        for (var i = 0; i < values.Length; i++)
        {
            // Q4_0 has no code for 8, the other end's mirror; the rounding of a float16 scale counts once for each step.
            var allowed = (type == StorageType.Q4_0 ? step : step / 2) * 1.15f;
            Assert.True(Math.Abs(values[i] - read[i]) <= allowed, $"{type} element {i}: {values[i]} became {read[i]}");
        }

        Assert.All(read[64..96], v => Assert.Equal(0, v));
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
            StorageType.Q2_K => Scale(block[80..]) * (block[j / 16] & 0xF) * TwoBits(block[16..], j) - Scale(block[82..]) * (block[j / 16] >> 4),
            StorageType.Q3_K => Scale(block[108..]) * (Q3Scale(block[96..], j / 16) - 32) * (TwoBits(block[32..], j) + 4 * BitAbove(block, j) - 4),
            StorageType.Q4_K => Scale(block) * SixBits(block[4..], 0, j / 32) * FourBits(block[16..], j) - Scale(block[2..]) * SixBits(block[4..], 4, j / 32),
            StorageType.Q5_K => Scale(block) * SixBits(block[4..], 0, j / 32) * (FourBits(block[48..], j) + 16 * BitAbove(block[16..], j)) - Scale(block[2..]) * SixBits(block[4..], 4, j / 32),
            StorageType.Q6_K => Scale(block[208..]) * (sbyte)block[192 + j / 16] * (Q6Low(block, j) + 16 * TwoBits(block[128..], j) - 32),
            StorageType.IQ4_NL => Scale(block) * Uneven[Nibble(block[2..], j)],
            StorageType.IQ4_XS => Scale(block) * (XsScale(block, j / 32) - 32) * Uneven[Nibble(block[(8 + j / 32 * 16)..], j % 32)],
            StorageType.MXFP4 => (float)(Math.Pow(2, block[0] - 128) * FourBitFloat(Nibble(block[1..], j))),
            _ => throw new ArgumentOutOfRangeException(nameof(type)),
        };
    }

    private static float Scale(ReadOnlySpan<byte> block) => (float)BitConverter.ToHalf(block);

    private static int Nibble(ReadOnlySpan<byte> codes, int j) => j < 16 ? codes[j] & 0xF : codes[j - 16] >> 4;

    private static int FifthBit(ReadOnlySpan<byte> bits, int j) => (int)(BitConverter.ToUInt32(bits) >> j & 1) << 4;

    private static readonly int[] Uneven = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>Bytes hold elements i, i + 32, i + 64 and i + 96 of 128.</summary>
    private static int TwoBits(ReadOnlySpan<byte> codes, int j) => codes[j / 128 * 32 + j % 32] >> (j % 128 / 32 * 2) & 3;

    /// <summary>Bytes hold elements i and i + 32 of 64.</summary>
    private static int FourBits(ReadOnlySpan<byte> codes, int j) => codes[j / 64 * 32 + j % 32] >> (j % 64 / 32 * 4) & 0xF;

    /// <summary>Bytes hold elements i and i + 64 of 128.</summary>
    private static int Q6Low(ReadOnlySpan<byte> codes, int j) => codes[j / 128 * 64 + j % 64] >> (j % 128 / 64 * 4) & 0xF;

    private static int BitAbove(ReadOnlySpan<byte> bits, int j) => bits[j % 32] >> (j / 32) & 1;

    private static int Q3Scale(ReadOnlySpan<byte> scales, int i)
    {
        var low = i < 8 ? scales[i] & 0xF : scales[i - 8] >> 4;
        return low + 16 * (scales[8 + i % 4] >> (i / 4 * 2) & 3);
    }

    /// <summary>Scales begin at byte 0, minima at 4; the last four have their lower bits in a nibble of bytes 8 to 11.</summary>
    private static int SixBits(ReadOnlySpan<byte> bytes, int at, int i) =>
        i < 4 ? bytes[at + i] % 64 : (at == 0 ? bytes[4 + i] % 16 : bytes[4 + i] / 16) + bytes[at + i - 4] / 64 * 16;

    private static int XsScale(ReadOnlySpan<byte> block, int i) =>
        (block[4 + i / 2] >> (i % 2 * 4) & 0xF) + 16 * (BitConverter.ToUInt16(block[2..]) >> (2 * i) & 3);

    /// <summary>Twice a number of one bit of sign, two of exponent, one of fraction.</summary>
    private static double FourBitFloat(int code)
    {
        var (exponent, fraction) = (code >> 1 & 3, code & 1);
        var size = exponent == 0 ? fraction : (2 + fraction) * Math.Pow(2, exponent - 1);
        return code < 8 || size == 0 ? size : -size;
    }

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
