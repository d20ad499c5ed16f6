using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    public static float FromF16(ushort bits) => WidenF16(Vector128.CreateScalar((uint)bits)).ToScalar();

    /// <summary>All 65,536 float16 as float32: a look-up is the quickest way to one of them, where no vector of them is at hand.</summary>
    internal static unsafe float* Halves { get; } = AllHalves();

    private static unsafe float* AllHalves()
    {
        var all = (float*)System.Runtime.InteropServices.NativeMemory.Alloc(1 << 16, sizeof(float)); // lives as long as the process
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            all[bits] = FromF16((ushort)bits);
        }

        return all;
    }

    /// <summary>
    /// Exponent and fraction are read as a float32 that is 2^112 times too small, subnormals included, so one exact
    /// multiplication is enough; only the highest exponent needs to be set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> WidenF16(Vector128<uint> half)
    {
        var magnitude = (half & Vector128.Create(0x7FFFu)) << 13;
        var infinite = Vector128.Create(0x7C00u << 13);
        var notFinite = Vector128.Equals(magnitude & infinite, infinite) & Vector128.Create(0xFFu << 23);
        var sign = (half & Vector128.Create(0x8000u)) << 16;
        return ((magnitude.AsSingle() * Vector128.Create(5.192296858534828e33f)).AsUInt32() | notFinite | sign).AsSingle();
    }

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
        var i = 0;
        for (; i <= count - 8; i += 8)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(source + i));
            WidenF16(low).Store(destination + i);
            WidenF16(high).Store(destination + i + 4);
        }

        for (; i < count; i++)
        {
            destination[i] = FromF16(Unsafe.ReadUnaligned<ushort>(source + i));
        }
    }
}
