namespace Apprentice.Tensors.Ops;

/// <summary>
/// A low-rank change to one weight W [out, in]: W + scale * B A (LoRA, Hu et al. 2021), or with a magnitude
/// m * (W + scale * B A) / ||W + scale * B A|| (DoRA, Liu et al. 2024). Handed to forward beside the frozen weight, never
/// merged into it. For an embedding [vocabulary, width] A is [rank, vocabulary] and B [width, rank].
/// </summary>
/// <param name="A">[rank, in], F32.</param>
/// <param name="B">[out, rank], F32; zeros at the start.</param>
/// <param name="Scale">alpha/rank, or alpha/sqrt(rank) for rsLoRA.</param>
/// <param name="Dropout">Drops entries of the input of A while training, or null.</param>
public sealed record LoraPair(Weight A, Weight B, float Scale, DropoutMask? Dropout = null)
{
    /// <summary>The length of each row of the changed weight, or null for plain LoRA.</summary>
    public DoraMagnitude? Magnitude { get; init; }

    public int Rank => A.Rows;

    internal bool Trainable => A.Trainable || B.Trainable;

    /// <summary>Makes a row of W, widened, the same row of the changed weight.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="values">[in].</param>
    public unsafe void MergeRow(int row, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, A.Columns);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)B.Rows);
        fixed (float* to = values)
        {
            for (var k = 0; k < Rank; k++)
            {
                Kernels.Rows.AddScaled(Scale * B.Floats[(long)row * Rank + k], A.Floats + (long)k * A.Columns, to, values.Length);
            }
        }

        Magnitude?.Stretch(row, values);
    }

    /// <summary>Makes a token's row of an embedding, widened, the same row of the changed embedding.</summary>
    /// <param name="id">The token.</param>
    /// <param name="values">[width].</param>
    public void MergeEmbeddingRow(int id, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, B.Rows);
        var (a, b) = (new float[Rank], new float[Rank]);
        for (var k = 0; k < Rank; k++)
        {
            A.CopyTo((long)k * A.Columns + id, a.AsSpan(k, 1));
        }

        for (var i = 0; i < values.Length; i++)
        {
            B.CopyTo((long)i * Rank, b);
            var sum = 0f;
            for (var k = 0; k < Rank; k++)
            {
                sum += b[k] * a[k];
            }

            values[i] += Scale * sum;
        }
    }
}
