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
}
