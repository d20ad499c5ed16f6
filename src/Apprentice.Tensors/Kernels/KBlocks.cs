using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

// ggml's K-quants: 256 elements share float16 factors of scales and minima (d, dmin), while each 16 or 32 elements have a
// scale, and for Q2_K, Q4_K and Q5_K a minimum that is taken off, of 4, 6 or 8 bits. Bits of codes that lie above each
// other in 32 bytes belong to groups that follow each other.

/// <summary>16 bytes: scale and minimum of 16 elements in a nibble each; 64 bytes of codes of 2 bits; d, dmin.</summary>
internal readonly unsafe struct BlockQ2_K : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 16 + 64 + 2 + 2;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var d = BlockParts.Half(block + 80, halves);
        (first, second) = (Vector256.Create(d * (block[2 * group] & 0xF)), Vector256.Create(d * (block[2 * group + 1] & 0xF)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Minima(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var d = -BlockParts.Half(block + 82, halves);
        (first, second) = (Vector256.Create(d * (block[2 * group] >> 4)), Vector256.Create(d * (block[2 * group + 1] >> 4)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Bits(block + 16 + group / 4 * 32, group % 4 * 2, 3, out c0, out c1, out c2, out c3);
}

/// <summary>32 bytes of third bits, 64 of codes of 2 bits; 16 scales of 6 bits, 32 too large, in 12 bytes; d. Codes are 4 too large.</summary>
internal readonly unsafe struct BlockQ3_K : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 32 + 64 + 12 + 2;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var d = BlockParts.Half(block + 108, halves);
        (first, second) = (Vector256.Create(d * Scale(block + 96, 2 * group)), Vector256.Create(d * Scale(block + 96, 2 * group + 1)));
    }

    /// <summary>Four bits in the nibbles of the first 8 bytes, low ones first, two in the last 4 bytes, lowest first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Scale(byte* scales, int i) =>
        ((scales[i % 8] >> (i / 8 * 4)) & 0xF | ((scales[8 + i % 4] >> (i / 4 * 2)) & 3) << 4) - 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.Bits(block + 32 + group / 4 * 32, group % 4 * 2, 3, out c0, out c1, out c2, out c3);
        BlockParts.UpperBits(block, group, 1, 2, ref c0, ref c1, ref c2, ref c3);
        BlockParts.TakeOff(4, ref c0, ref c1, ref c2, ref c3);
    }
}

/// <summary>d, dmin; 8 scales and 8 minima of 6 bits in 12 bytes; 128 bytes of codes of 4 bits.</summary>
internal readonly unsafe struct BlockQ4_K : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 2 + 2 + 12 + 128;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        first = second = Vector256.Create(BlockParts.Half(block, halves) * SixBits.Scale(block + 4, group));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Minima(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        first = second = Vector256.Create(-BlockParts.Half(block + 2, halves) * SixBits.Minimum(block + 4, group));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Bits(block + 16 + group / 2 * 32, group % 2 * 4, 0xF, out c0, out c1, out c2, out c3);
}

/// <summary>As Q4_K, with 32 bytes of fifth bits before the codes.</summary>
internal readonly unsafe struct BlockQ5_K : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 2 + 2 + 12 + 32 + 128;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        BlockQ4_K.Scales(block, group, halves, out first, out second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Minima(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        BlockQ4_K.Minima(block, group, halves, out first, out second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.Bits(block + 48 + group / 2 * 32, group % 2 * 4, 0xF, out c0, out c1, out c2, out c3);
        BlockParts.UpperBits(block + 16, group, 1, 4, ref c0, ref c1, ref c2, ref c3);
    }
}

/// <summary>128 bytes of the lower 4 bits, 64 of the upper 2; 16 signed scales of a byte; d. Codes are 32 too large.</summary>
internal readonly unsafe struct BlockQ6_K : IQuantizedBlock
{
    public static int Elements => 256;

    public static int Bytes => 128 + 64 + 16 + 2;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second)
    {
        var d = BlockParts.Half(block + 208, halves);
        var scales = (sbyte*)block + 192 + 2 * group;
        (first, second) = (Vector256.Create(d * scales[0]), Vector256.Create(d * scales[1]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        var (half, within) = (group / 4, group % 4); // 64 bytes hold the low nibbles of two groups, then their high ones those of two more
        BlockParts.Bits(block + half * 64 + within % 2 * 32, within / 2 * 4, 0xF, out c0, out c1, out c2, out c3);
        BlockParts.UpperBits(block + 128 + half * 32, within * 2, 3, 4, ref c0, ref c1, ref c2, ref c3);
        BlockParts.TakeOff(32, ref c0, ref c1, ref c2, ref c3);
    }
}

/// <summary>
/// 12 bytes: the lower 6 bits of the first four hold scales 0 to 3, those of the next four minima 0 to 3; the last four hold
/// the lower 4 bits of scales and, in the high nibbles, of minima 4 to 7, whose upper 2 lie above the first eight.
/// </summary>
file static unsafe class SixBits
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(byte* s, int i) => i < 4 ? s[i] & 63 : s[i + 4] & 0xF | s[i - 4] >> 6 << 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Minimum(byte* s, int i) => i < 4 ? s[i + 4] & 63 : s[i + 4] >> 4 | s[i] >> 6 << 4;
}
