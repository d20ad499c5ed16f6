using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// One of ggml's blocks of 32 elements: a float16 scale, for the _1 types a float16 minimum, for the Q5 types the fifth
/// bits (a 32-bit word, bit i for element i), then the codes: 16 bytes whose low nibbles are elements 0 to 15 and whose
/// high nibbles are elements 16 to 31, or 32 signed bytes for Q8_0. An element is scale·code, plus the minimum if any.
/// Everything is done in lanes of 32 bits, in which a code needs no more than a mask or a shift.
/// </summary>
internal unsafe interface IQuantizedBlock
{
    static abstract int Bytes { get; }

    static abstract bool HasMinimum { get; }

    /// <summary>The minimum in all lanes, where there is one.</summary>
    static virtual Vector256<float> Minimum(byte* block, float* halves) => BlockParts.Half(block + 2, halves);

    /// <summary>The 32 codes, with any offset of the type taken off.</summary>
    static abstract void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3);
}

internal readonly unsafe struct BlockQ4_0 : IQuantizedBlock
{
    public static int Bytes => 2 + 16;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.Nibbles(block + 2, out c0, out c1, out c2, out c3);
        BlockParts.TakeOff(8, ref c0, ref c1, ref c2, ref c3);
    }
}

internal readonly unsafe struct BlockQ4_1 : IQuantizedBlock
{
    public static int Bytes => 2 + 2 + 16;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.Nibbles(block + 4, out c0, out c1, out c2, out c3);
}

internal readonly unsafe struct BlockQ5_0 : IQuantizedBlock
{
    public static int Bytes => 2 + 4 + 16;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        BlockParts.FiveBits(block + 2, out c0, out c1, out c2, out c3);
        BlockParts.TakeOff(16, ref c0, ref c1, ref c2, ref c3);
    }
}

internal readonly unsafe struct BlockQ5_1 : IQuantizedBlock
{
    public static int Bytes => 2 + 2 + 4 + 16;

    public static bool HasMinimum => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3) =>
        BlockParts.FiveBits(block + 4, out c0, out c1, out c2, out c3);
}

internal readonly unsafe struct BlockQ8_0 : IQuantizedBlock
{
    public static int Bytes => 2 + 32;

    public static bool HasMinimum => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Codes(byte* block, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        c0 = BlockParts.Signed(block + 2);
        c1 = BlockParts.Signed(block + 10);
        c2 = BlockParts.Signed(block + 18);
        c3 = BlockParts.Signed(block + 26);
    }
}

/// <summary>The parts that blocks are made of.</summary>
internal static unsafe class BlockParts
{
    /// <summary>A float16 in all lanes, by <see cref="HalfPrecision.Halves"/>: the conversion would cost as much as the codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Half(byte* source, float* halves) => Vector256.Create(halves[Unsafe.ReadUnaligned<ushort>(source)]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* source, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        var (first, second) = (Unsigned(source), Unsigned(source + 8));
        var low = Vector256.Create(0xF);
        (c0, c1, c2, c3) = (first & low, second & low, first >>> 4, second >>> 4);
    }

    /// <summary>The word of the fifth bits, then the nibbles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FiveBits(byte* source, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        Nibbles(source + 4, out c0, out c1, out c2, out c3);
        var bits = Unsafe.ReadUnaligned<uint>(source);
        (c0, c1, c2, c3) = (c0 | Fifth(bits), c1 | Fifth(bits >> 8), c2 | Fifth(bits >> 16), c3 | Fifth(bits >> 24));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeOff(int offset, ref Vector256<int> c0, ref Vector256<int> c1, ref Vector256<int> c2, ref Vector256<int> c3)
    {
        var all = Vector256.Create(offset);
        (c0, c1, c2, c3) = (c0 - all, c1 - all, c2 - all, c3 - all);
    }

    /// <summary>The eight lowest bits, each as 0 or 16 in a lane of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Fifth(uint bits)
    {
        var own = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
        return Vector256.Equals(Vector256.Create((int)bits) & own, own) & Vector256.Create(16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Signed(byte* source)
    {
        var s = (sbyte*)source;
        return Avx2.IsSupported ? Avx2.ConvertToVector256Int32(s) : Vector256.Create(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Unsigned(byte* s) =>
        Avx2.IsSupported ? Avx2.ConvertToVector256Int32(s) : Vector256.Create(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]);
}
