using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>The parts that quantised blocks are made of.</summary>
internal static unsafe class BlockParts
{
    /// <summary>A float16 by <see cref="HalfPrecision.Halves"/>: the conversion would cost as much as the codes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(byte* source, float* halves) => halves[Unsafe.ReadUnaligned<ushort>(source)];

    /// <summary>16 bytes whose low nibbles are codes 0 to 15 and whose high nibbles are codes 16 to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* source, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        var (first, second) = (Unsigned(source), Unsigned(source + 8));
        var low = Vector256.Create(0xF);
        (c0, c1, c2, c3) = (first & low, second & low, first >>> 4, second >>> 4);
    }

    /// <summary>The same where each nibble stands for one of 16 values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* source, Vector128<sbyte> values, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        var both = Vector128.Load(source);
        var first = Vector128.ShuffleNative(values, (both & Vector128.Create((byte)0xF)).AsSByte());
        var second = Vector128.ShuffleNative(values, (both >>> 4).AsSByte());
        (c0, c1) = (Signed((byte*)&first), Signed((byte*)&first + 8));
        (c2, c3) = (Signed((byte*)&second), Signed((byte*)&second + 8));
    }

    /// <summary>The same 16 bytes for <see cref="IQuantizedBlock.Nibbles"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Nibbles(byte* source, out Vector512<int> first, out Vector512<int> second)
    {
        first = Avx512F.ConvertToVector512Int32(Vector128.Load(source));
        second = first >>> 4;
    }

    /// <summary>32 bytes, a code in each: those of its bits from <paramref name="shift"/> on that the mask has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bits(byte* source, int shift, int mask, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3)
    {
        var low = Vector256.Create(mask);
        c0 = (Unsigned(source) >>> shift) & low;
        c1 = (Unsigned(source + 8) >>> shift) & low;
        c2 = (Unsigned(source + 16) >>> shift) & low;
        c3 = (Unsigned(source + 24) >>> shift) & low;
    }

    /// <summary>The codes' upper bits, kept apart from the lower ones: they belong from bit <paramref name="place"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpperBits(byte* source, int shift, int mask, int place, ref Vector256<int> c0, ref Vector256<int> c1, ref Vector256<int> c2, ref Vector256<int> c3)
    {
        Bits(source, shift, mask, out var h0, out var h1, out var h2, out var h3);
        (c0, c1, c2, c3) = (c0 | (h0 << place), c1 | (h1 << place), c2 | (h2 << place), c3 | (h3 << place));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeOff(int offset, ref Vector256<int> c0, ref Vector256<int> c1, ref Vector256<int> c2, ref Vector256<int> c3)
    {
        var all = Vector256.Create(offset);
        (c0, c1, c2, c3) = (c0 - all, c1 - all, c2 - all, c3 - all);
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
