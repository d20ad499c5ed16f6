using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>Work in small steps that does not depend on a tile's products and is done between them, where the processor has room for it.</summary>
internal unsafe interface IFiller<TSelf>
    where TSelf : struct, IFiller<TSelf>
{
    /// <summary>Whether there is such work, known when the code is compiled.</summary>
    static abstract bool Any { get; }

    /// <summary>Rows of stored elements that follow each other, to be widened.</summary>
    static abstract TSelf Widening(byte* rows, float* destination, int elements);

    void Step();
}

/// <summary>Nothing to be done.</summary>
internal readonly unsafe struct NoFiller : IFiller<NoFiller>
{
    public static bool Any => false;

    public static NoFiller Widening(byte* rows, float* destination, int elements) => default;

    public void Step()
    {
    }
}

/// <summary>Widens quantised blocks, a group of <see cref="QuantizedBlocks.Group"/> elements a step: it waits for memory, tiles do not.</summary>
internal unsafe struct BlockFiller<TBlock> : IFiller<BlockFiller<TBlock>>
    where TBlock : struct, IQuantizedBlock
{
    private byte* _block;
    private int _group;
    private float* _destination;
    private int _left;

    /// <summary>With 16 registers, of which a tile takes 15, it would only push the tile's sums out.</summary>
    public static bool Any => System.Runtime.Intrinsics.X86.Avx512F.IsSupported;

    public static BlockFiller<TBlock> Widening(byte* rows, float* destination, int elements) =>
        new() { _block = rows, _destination = destination, _left = elements / QuantizedBlocks.Group };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step()
    {
        if (_left > 0)
        {
            _left--;
            QuantizedBlocks.Widen<TBlock>(_block, _group, HalfPrecision.Halves, _destination);
            QuantizedBlocks.Next<TBlock>(ref _block, ref _group);
            _destination += QuantizedBlocks.Group;
        }
    }
}
