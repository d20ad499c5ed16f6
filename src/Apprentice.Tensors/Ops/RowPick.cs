using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>Some rows of a tensor, in any order; inference only.</summary>
public static class RowPick
{
    /// <param name="x">[rows, width].</param>
    /// <param name="rows">Numbers of its rows.</param>
    /// <returns>[rows.Length, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, int[] rows)
    {
        if (tape.Recording)
        {
            throw new InvalidOperationException("rows are picked without a way back");
        }

        var picked = tape.New(rows.Length, x.Columns, requiresGradient: false);
        for (var r = 0; r < rows.Length; r++)
        {
            x.RowSpan(rows[r]).CopyTo(picked.RowSpan(r));
        }

        return picked;
    }
}
