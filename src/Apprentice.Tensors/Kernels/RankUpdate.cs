namespace Apprentice.Tensors.Kernels;

/// <summary>
/// A product of few steps that is added to another product while its tiles are still in the cache: the way of a low-rank
/// adapter, for which reading and writing all of C again would cost more than the arithmetic.
/// </summary>
/// <param name="a">[m, steps], read where it lies with any strides.</param>
/// <param name="b">[steps, n].</param>
internal readonly unsafe struct RankUpdate(int steps, float* a, nint aRow, nint aStep, Operand b)
{
    /// <summary>0: there is nothing to add.</summary>
    public int Steps => steps;

    public float* A => a;

    public nint ARow => aRow;

    public nint AStep => aStep;

    public Operand B => b;
}
