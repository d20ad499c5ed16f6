using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>x + branch: the residual connection around a sublayer (He et al. 2015).</summary>
public static unsafe class Residual
{
    /// <param name="branch">Its memory is taken over for the sum: its values must not be needed by anything else.</param>
    public static Tensor Add(Tape tape, Tensor x, Tensor branch)
    {
        if (x.Rows != branch.Rows || x.Columns != branch.Columns)
        {
            throw new ArgumentException($"[{x.Rows}, {x.Columns}] + [{branch.Rows}, {branch.Columns}]", nameof(branch));
        }

        var sum = tape.TakeOver(branch, x.RequiresGradient || branch.RequiresGradient);
        Kernels.Elementwise.Add(tape.Engine, tape.Values(x), sum.Data, sum.Count);
        tape.Record(new ResidualNode(sum, x, branch));
        return sum;
    }

    private sealed class ResidualNode(Tensor output, Tensor x, Tensor branch) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            if (x.RequiresGradient)
            {
                var copy = tape.Rent(x.Count);
                Kernels.Elementwise.Copy(tape.Engine, Output.Gradient, copy, x.Count);
                tape.GiveGradient(x, copy);
            }

            if (branch.RequiresGradient)
            {
                tape.GiveGradient(branch, Output.Gradient);
                Output.Gradient = null;
            }
        }
    }
}
