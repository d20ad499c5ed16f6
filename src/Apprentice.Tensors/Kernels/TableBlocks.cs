using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

// Blocks whose nibbles stand for one of 16 values that are not evenly spaced.

/// <summary>A float16 scale and 16 bytes of nibbles.</summary>
internal readonly unsafe struct BlockIQ4_NL : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 16;

    public static bool HasMinimum => false;

    /// <summary>Denser around zero, where most weights are.</summary>
    public static Vector128<sbyte> Values => Vector128.Create((sbyte)-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Nibbles(block + 2, Values, out c0, out c1, out c2, out c3);
}

/// <summary>A float16 factor d; 8 scales of 6 bits, 32 too large: the upper 2 in a word, the lower 4 in 4 bytes; 128 bytes of nibbles.</summary>
internal readonly unsafe struct BlockIQ4_XS : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 2 + 2 + 4 + 128;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var lower = block[4 + group / 2] >> (group % 2 * 4) & 0xF;
        var upper = Unsafe.ReadUnaligned<ushort>(block + 2) >> (2 * group) & 3;
        first = second = Vector256.Create(BlockParts.Half(block, halves) * ((lower | upper << 4) - 32));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Nibbles(block + 8 + group * 16, BlockIQ4_NL.Values, out c0, out c1, out c2, out c3);
}

/// <summary>
/// OCP's microscaling format: the exponent of a power of two in a byte, then 16 bytes of nibbles that are numbers of 4 bits
/// (a sign, two bits of exponent, one of fraction). The values are twice these numbers, so that they are whole.
/// </summary>
internal readonly unsafe struct BlockMXFP4 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 1 + 16;

    public static bool HasMinimum => false;

    /// <summary>2^(e - 128): half of what the exponent says, since the values are twice as large. For 0 and 1 that is subnormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var e = (uint)*block;
        first = second = Vector256.Create(BitConverter.UInt32BitsToSingle(e < 2 ? 0x200000u << (int)e : (e - 1) << 23));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Nibbles(block + 1, Vector128.Create((sbyte)0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12), out c0, out c1, out c2, out c3);
}
