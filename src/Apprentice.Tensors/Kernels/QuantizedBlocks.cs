using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// ggml's blocks of 32 elements: a float16 scale d, for the _1 types a float16 minimum m, for the Q5 types the fifth
/// bits (a 32-bit word, bit i for element i), then the codes: 16 bytes whose low nibbles are elements 0 to 15 and
/// whose high nibbles are elements 16 to 31, or 32 signed bytes for Q8_0. An element is d·(q − 8) (Q4_0),
/// d·(q − 16) (Q5_0), d·q (Q8_0) or d·q + m (the _1 types).
/// </summary>
internal static unsafe class QuantizedBlocks
{
    public const int Elements = 32;

    public static void DecodeQ4_0(byte* source, float* destination, int count)
    {
        for (var end = destination + count; destination < end; destination += Elements, source += 18)
        {
            var scale = Half(source);
            var (low, high) = Nibbles(source + 2);
            StoreScaled((low - Vector128.Create((byte)8)).AsSByte(), scale, destination);
            StoreScaled((high - Vector128.Create((byte)8)).AsSByte(), scale, destination + 16);
        }
    }

    public static void DecodeQ4_1(byte* source, float* destination, int count)
    {
        for (var end = destination + count; destination < end; destination += Elements, source += 20)
        {
            var (scale, minimum) = (Half(source), Half(source + 2));
            var (low, high) = Nibbles(source + 4);
            StoreScaled(low.AsSByte(), scale, minimum, destination);
            StoreScaled(high.AsSByte(), scale, minimum, destination + 16);
        }
    }

    public static void DecodeQ5_0(byte* source, float* destination, int count)
    {
        for (var end = destination + count; destination < end; destination += Elements, source += 22)
        {
            var scale = Half(source);
            var (low, high) = Nibbles(source + 6);
            low |= FifthBits(source + 2);
            high |= FifthBits(source + 4);
            StoreScaled((low - Vector128.Create((byte)16)).AsSByte(), scale, destination);
            StoreScaled((high - Vector128.Create((byte)16)).AsSByte(), scale, destination + 16);
        }
    }

    public static void DecodeQ5_1(byte* source, float* destination, int count)
    {
        for (var end = destination + count; destination < end; destination += Elements, source += 24)
        {
            var (scale, minimum) = (Half(source), Half(source + 2));
            var (low, high) = Nibbles(source + 8);
            low |= FifthBits(source + 4);
            high |= FifthBits(source + 6);
            StoreScaled(low.AsSByte(), scale, minimum, destination);
            StoreScaled(high.AsSByte(), scale, minimum, destination + 16);
        }
    }

    public static void DecodeQ8_0(byte* source, float* destination, int count)
    {
        for (var end = destination + count; destination < end; destination += Elements, source += 34)
        {
            var scale = Half(source);
            StoreScaled(Vector128.Load(source + 2).AsSByte(), scale, destination);
            StoreScaled(Vector128.Load(source + 18).AsSByte(), scale, destination + 16);
        }
    }

    /// <summary>The largest magnitude becomes 127; codes are rounded half away from zero by the scale before that is rounded to float16.</summary>
    public static void EncodeQ8_0(float* source, byte* destination, int count)
    {
        for (var end = source + count; source < end; source += Elements, destination += 34)
        {
            var largest = 0f;
            for (var i = 0; i < Elements; i++)
            {
                largest = MathF.Max(largest, MathF.Abs(source[i]));
            }

            var scale = largest / 127;
            var inverse = scale == 0 ? 0 : 1 / scale;
            Unsafe.WriteUnaligned(destination, HalfPrecision.ToF16(scale));
            for (var i = 0; i < Elements; i++)
            {
                destination[2 + i] = (byte)(sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Half(byte* source) => HalfPrecision.FromF16(Unsafe.ReadUnaligned<ushort>(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<byte> Low, Vector128<byte> High) Nibbles(byte* source)
    {
        var packed = Vector128.Load(source);
        // Shifting 16-bit lanes and masking: there is no 8-bit shift on x86.
        return (packed & Vector128.Create((byte)0xF), (packed.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)0xF));
    }

    /// <summary>16 bits at <paramref name="source"/>, each as 0 or 16 in a lane of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> FifthBits(byte* source)
    {
        var bitOfLane = Vector128.Create(0x8040201008040201UL).AsByte();
        var spread = Vector128.Create(
            Vector64.Create(source[0]),
            Vector64.Create(source[1]));
        return Vector128.Equals(spread & bitOfLane, bitOfLane) & Vector128.Create((byte)0x10);
    }

    /// <summary>Writes scale·code for 16 codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScaled(Vector128<sbyte> codes, float scale, float* destination)
    {
        if (Avx512F.IsSupported)
        {
            (Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(codes)) * scale).Store(destination);
        }
        else if (Avx2.IsSupported)
        {
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(codes)) * scale).Store(destination);
            (Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Upper(codes))) * scale).Store(destination + 8);
        }
        else
        {
            var (a, b) = Vector128.Widen(codes);
            var (a0, a1) = Vector128.Widen(a);
            var (b0, b1) = Vector128.Widen(b);
            (Vector128.ConvertToSingle(a0) * scale).Store(destination);
            (Vector128.ConvertToSingle(a1) * scale).Store(destination + 4);
            (Vector128.ConvertToSingle(b0) * scale).Store(destination + 8);
            (Vector128.ConvertToSingle(b1) * scale).Store(destination + 12);
        }
    }

    /// <summary>Writes scale·code + minimum for 16 codes, product and sum each rounded (no fused multiply-add).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreScaled(Vector128<sbyte> codes, float scale, float minimum, float* destination)
    {
        StoreScaled(codes, scale, destination);
        var offset = Vector256.Create(minimum);
        (Vector256.Load(destination) + offset).Store(destination);
        (Vector256.Load(destination + 8) + offset).Store(destination + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Upper(Vector128<sbyte> codes) => Vector128.Create(codes.GetUpper(), codes.GetUpper());
}
