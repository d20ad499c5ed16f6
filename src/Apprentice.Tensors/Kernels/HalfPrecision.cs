using System.Numerics;
using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// float16 (IEEE 754 binary16) and bfloat16 to float32, which is exact, and back, rounded to nearest with ties to even.
/// Subnormals and infinities are kept; a NaN stays a NaN.
/// </summary>
public static class HalfPrecision
{
    /// <summary>The bits of the nearest bfloat16.</summary>
    public static ushort ToBF16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40) // quiet, so that dropping the low bits cannot make it an infinity
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The bits of the nearest float16; from 65520 on that is infinity.</summary>
    public static ushort ToF16(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    public static float FromBF16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    public static float FromF16(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    internal static unsafe void DecodeBF16(ushort* source, float* destination, int count)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= count - (2 * width); i += 2 * width)
        {
            Vector.Widen(Unsafe.ReadUnaligned<Vector<ushort>>(source + i), out var low, out var high);
            Unsafe.WriteUnaligned(destination + i, low << 16);
            Unsafe.WriteUnaligned(destination + i + width, high << 16);
        }

        for (; i < count; i++)
        {
            destination[i] = FromBF16(Unsafe.ReadUnaligned<ushort>(source + i));
        }
    }

    /// <summary>The nearest bfloat16 of each value, the same bits as <see cref="ToBF16(float)"/>.</summary>
    internal static unsafe void EncodeBF16(float* source, ushort* destination, int count)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= count - (2 * width); i += 2 * width)
        {
            var low = RoundBF16(Unsafe.ReadUnaligned<Vector<uint>>(source + i));
            var high = RoundBF16(Unsafe.ReadUnaligned<Vector<uint>>(source + i + width));
            Unsafe.WriteUnaligned(destination + i, Vector.Narrow(low >> 16, high >> 16));
        }

        for (; i < count; i++)
        {
            destination[i] = ToBF16(source[i]);
        }
    }

    /// <summary>The value of the nearest bfloat16 of each value; in place where both are the same.</summary>
    internal static unsafe void RoundToBF16(float* source, float* destination, int count)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= count - width; i += width)
        {
            Unsafe.WriteUnaligned(destination + i, RoundBF16(Unsafe.ReadUnaligned<Vector<uint>>(source + i)) & new Vector<uint>(0xFFFF0000u));
        }

        for (; i < count; i++)
        {
            destination[i] = FromBF16(ToBF16(source[i]));
        }
    }

    /// <summary>The bits of the nearest bfloat16 in the upper halves; the lower ones hold what is left of the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> RoundBF16(Vector<uint> bits)
    {
        var rounded = bits + new Vector<uint>(0x7FFFu) + ((bits >> 16) & Vector<uint>.One);
        var isNaN = Vector.GreaterThan(Vector.AsVectorInt32(bits & new Vector<uint>(0x7FFFFFFFu)), new Vector<int>(0x7F800000));
        return Vector.ConditionalSelect(Vector.AsVectorUInt32(isNaN), bits | new Vector<uint>(0x400000u), rounded);
    }

    internal static unsafe void DecodeF16(ushort* source, float* destination, int count)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= count - (2 * width); i += 2 * width)
        {
            Vector.Widen(Unsafe.ReadUnaligned<Vector<ushort>>(source + i), out var low, out var high);
            Unsafe.WriteUnaligned(destination + i, WidenF16(low));
            Unsafe.WriteUnaligned(destination + i + width, WidenF16(high));
        }

        for (; i < count; i++)
        {
            destination[i] = FromF16(Unsafe.ReadUnaligned<ushort>(source + i));
        }
    }

    /// <summary>
    /// Moves exponent and fraction to their places in float32 and corrects the exponent's bias (15 to 127). A float16
    /// subnormal has no leading one: given the exponent of 2^-14 it stands for 2^-14 too much, which a subtraction of
    /// normal numbers takes off exactly (and quickly: no float32 subnormal takes part).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> WidenF16(Vector<uint> half)
    {
        const uint Bias = (127u - 15u) << 23;
        const uint MinimumNormal = Bias + (1u << 23); // 2^-14
        var magnitude = (half & new Vector<uint>(0x7FFFu)) << 13;
        var sign = (half & new Vector<uint>(0x8000u)) << 16;
        var exponent = magnitude & new Vector<uint>(0x1Fu << 23);
        var normal = magnitude + new Vector<uint>(Bias);
        var notFinite = magnitude | new Vector<uint>(0xFFu << 23);
        var subnormal = Vector.AsVectorUInt32(
            Vector.AsVectorSingle(magnitude + new Vector<uint>(MinimumNormal)) - Vector.AsVectorSingle(new Vector<uint>(MinimumNormal)));
        var result = Vector.ConditionalSelect(Vector.Equals(exponent, Vector<uint>.Zero), subnormal, normal);
        result = Vector.ConditionalSelect(Vector.Equals(exponent, new Vector<uint>(0x1Fu << 23)), notFinite, result);
        return result | sign;
    }
}
