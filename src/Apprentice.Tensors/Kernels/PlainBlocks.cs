using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

// Blocks of 32 elements: a float16 scale, for the _1 types a float16 minimum, for the Q5 types the fifth bits (a 32-bit
// word, bit i for element i), then the codes: 16 bytes of nibbles, or 32 signed bytes for Q8_0.

internal readonly unsafe struct BlockQ4_0 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 16;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.Nibbles(block + 2, out c0, out c1, out c2, out c3);
        BlockParts.TakeOff(8, ref c0, ref c1, ref c2, ref c3);
    }

    public static bool HasNibbles => true;

    public static Vector512<float> NibbleCodes => Vector512.Create(-8f, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* block, int group, out Vector512<int> first, out Vector512<int> second) =>
        BlockParts.Nibbles(block + 2, out first, out second);
}

internal readonly unsafe struct BlockQ4_1 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 2 + 16;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Nibbles(block + 4, out c0, out c1, out c2, out c3);

    public static bool HasNibbles => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* block, int group, out Vector512<int> first, out Vector512<int> second) =>
        BlockParts.Nibbles(block + 4, out first, out second);
}

internal readonly unsafe struct BlockQ5_0 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 4 + 16;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        FifthBits.Codes(block + 2, out c0, out c1, out c2, out c3);
        BlockParts.TakeOff(16, ref c0, ref c1, ref c2, ref c3);
    }
}

internal readonly unsafe struct BlockQ5_1 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 2 + 4 + 16;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        FifthBits.Codes(block + 4, out c0, out c1, out c2, out c3);
}

internal readonly unsafe struct BlockQ8_0 : IQuantizedBlock
{
    public static int Elements => 32;

    public static int Bytes => 2 + 32;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        c0 = BlockParts.Signed(block + 2);
        c1 = BlockParts.Signed(block + 10);
        c2 = BlockParts.Signed(block + 18);
        c3 = BlockParts.Signed(block + 26);
    }
}

/// <summary>The word of the fifth bits, then the nibbles.</summary>
file static unsafe class FifthBits
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* source, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.Nibbles(source + 4, out c0, out c1, out c2, out c3);
        var bits = Unsafe.ReadUnaligned<uint>(source);
        (c0, c1, c2, c3) = (c0 | Of(bits), c1 | Of(bits >> 8), c2 | Of(bits >> 16), c3 | Of(bits >> 24));
    }

    /// <summary>The eight lowest bits, each as 0 or 16 in a lane of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Of(uint bits)
    {
        var own = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        return Vector256.Equals(Vector256.Create((int)bits) & own, own) & Vector256.Create(16);
    }
}
