using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// One of ggml's blocks of quantised elements: 32 of them, or 256 for the types that keep the scales of smaller parts in a
/// few bits. It is read in groups of 32, each of which can be widened without the others: an element is scale·code, plus
/// the minimum if the type has one. Scale and minimum hold for at least 16 elements, so a group has two of each; unless a
/// type says otherwise they are float16 at the beginning of the block.
/// Everything is done in lanes of 32 bits, in which a code needs no more than a mask or a shift.
/// </summary>
internal unsafe interface IQuantizedBlock
{
    /// <summary>A multiple of <see cref="QuantizedBlocks.Group"/>.</summary>
    static abstract int Elements { get; }

    static abstract int Bytes { get; }

    static abstract bool HasMinimum { get; }

    /// <summary>The scale of the group's first 16 elements and that of the others, each in all lanes.</summary>
    /// <param name="halves"><see cref="HalfPrecision.Halves"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual void Scales(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        first = second = Vector256.Create(BlockParts.Half(block, halves));

    /// <summary>The same of the minimum, where there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual void Minima(byte* block, int group, float* halves, out Vector256<float> first, out Vector256<float> second) =>
        first = second = Vector256.Create(BlockParts.Half(block + 2, halves));

    /// <summary>The group's 32 codes, with any offset of the type taken off.</summary>
    static abstract void Codes(byte* block, int group, out Vector256<int> c0, out Vector256<int> c1, out Vector256<int> c2, out Vector256<int> c3);

    /// <summary>Whether the codes are nibbles and a group has one scale (and minimum), so that its elements have 16 values at most.</summary>
    static virtual bool HasNibbles => false;

    /// <summary>What <see cref="Codes"/> makes of each nibble.</summary>
    static virtual Vector512<float> NibbleCodes => Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    /// <summary>The group's nibbles, each in the lowest bits of a lane; what is above them has no meaning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static virtual void Nibbles(byte* block, int group, out Vector512<int> first, out Vector512<int> second) => throw new NotSupportedException();
}
