using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

/// <summary>Rounding to bfloat16: to the nearest, ties to even, NaN kept; at every length.</summary>
public sealed unsafe class HalfPrecisionTests
{
    private static readonly float[] Awkward =
    [
        0f, -0f, 1f, -1f, float.Epsilon, -float.Epsilon, 1.17549435e-38f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity,
        float.NaN, -float.NaN, BitConverter.UInt32BitsToSingle(0x7F800001), BitConverter.UInt32BitsToSingle(0xFF80FFFF), BitConverter.UInt32BitsToSingle(0x7FFFFFFF),
        BitConverter.UInt32BitsToSingle(0x3F808000), BitConverter.UInt32BitsToSingle(0x3F818000), BitConverter.UInt32BitsToSingle(0x3F808001), BitConverter.UInt32BitsToSingle(0x3F807FFF),
    ];

    [Fact]
    public void The_nearest_bfloat16_and_of_two_as_near_the_even_one()
    {
        var values = new Values(1);
        for (var i = 0; i < 100_000; i++)
        {
            var value = BitConverter.UInt32BitsToSingle((uint)values.NextBits());
            var rounded = HalfPrecision.FromBF16(HalfPrecision.ToBF16(value));
            if (float.IsNaN(value))
            {
                Assert.True(float.IsNaN(rounded));
                continue;
            }

            if (!float.IsFinite(rounded))
            {
                continue; // beyond the largest bfloat16
            }

            var bits = HalfPrecision.ToBF16(value);
            var distance = Math.Abs((double)rounded - value);
            foreach (var other in new[] { bits - 1, bits + 1 })
            {
                var neighbour = HalfPrecision.FromBF16((ushort)other);
                if (float.IsFinite(neighbour))
                {
                    var further = Math.Abs((double)neighbour - value);
                    Assert.True(distance < further || (distance == further && bits % 2 == 0), $"{value:R} became {rounded:R}; {neighbour:R} is nearer or even");
                }
            }
        }
    }

    [Fact]
    public void Whole_rows_round_as_single_values_do_at_every_length()
    {
        for (var length = 0; length <= 130; length++)
        {
            var values = new Values((ulong)length);
            var source = new float[length + 1];
            for (var i = 0; i < length; i++)
            {
                source[i] = values.Below(3) == 0 ? Awkward[values.Below(Awkward.Length)] : BitConverter.UInt32BitsToSingle((uint)values.NextBits());
            }

            var encoded = new ushort[length + 1];
            var rounded = new float[length + 1];
            (encoded[length], rounded[length]) = (12345, 12345);
            fixed (float* from = source, wide = rounded)
            fixed (ushort* narrow = encoded)
            {
                HalfPrecision.EncodeBF16(from, narrow, length);
                HalfPrecision.RoundToBF16(from, wide, length);
                Assert.Equal((12345, 12345f), (encoded[length], rounded[length]));
                for (var i = 0; i < length; i++)
                {
                    var bits = HalfPrecision.ToBF16(source[i]);
                    Assert.Equal(bits, encoded[i]);
                    Assert.Equal((uint)bits << 16, BitConverter.SingleToUInt32Bits(rounded[i]));
                }

                HalfPrecision.RoundToBF16(from, from, length); // in place
            }

            Assert.Equal(rounded.AsSpan(0, length).ToArray().Select(BitConverter.SingleToUInt32Bits), source.AsSpan(0, length).ToArray().Select(BitConverter.SingleToUInt32Bits));
        }
    }
}
