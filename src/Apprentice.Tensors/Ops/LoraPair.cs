namespace Apprentice.Tensors.Ops;

/// <summary>
/// A low-rank change to one weight W [out, in]: W + scale * B A (LoRA, Hu et al. 2021). Handed to forward beside the
/// frozen weight, never merged into it.
/// </summary>
/// <param name="A">[rank, in], F32.</param>
/// <param name="B">[out, rank], F32; zeros at the start.</param>
/// <param name="Scale">alpha/rank, or alpha/sqrt(rank) for rsLoRA.</param>
/// <param name="Dropout">Drops entries of the input of A while training, or null.</param>
public sealed record LoraPair(Weight A, Weight B, float Scale, DropoutMask? Dropout = null)
{
    public int Rank => A.Rows;

    /// <summary>Makes a row of W, widened, the same row of the changed weight.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="values">[in].</param>
    public void MergeRow(int row, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, A.Columns);
        var (b, a) = (new float[Rank], new float[A.Columns]);
        B.CopyTo((long)row * Rank, b);
        for (var k = 0; k < Rank; k++)
        {
            A.CopyTo((long)k * A.Columns, a);
            var factor = Scale * b[k];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] += factor * a[i];
            }
        }
    }
}
