using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = factor * x.</summary>
public static unsafe class Scale
{
    /// <param name="x">Its memory is taken over for the result: its values must not be needed by anything else.</param>
    public static Tensor Apply(Tape tape, Tensor x, float factor)
    {
        var y = tape.TakeOver(x, x.RequiresGradient);
        Multiply(tape, y, y.Data, factor);
        tape.Record(new ScaleNode(y, x, factor));
        return y;
    }

    private static void Multiply(Tape tape, Tensor shape, float* values, float factor) =>
        tape.Engine.Team.Run(RowParts.Count(shape.Rows), new ScaleJob(shape.Rows, shape.Columns, values, factor));

    private sealed class ScaleNode(Tensor output, Tensor x, float factor) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            Multiply(tape, Output, Output.Gradient, factor);
            tape.GiveGradient(x, Output.Gradient);
            Output.Gradient = null;
        }
    }

    private readonly struct ScaleJob(int rows, int width, float* values, float factor) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                var row = new Span<float>(values + (long)r * width, width);
                TensorPrimitives.Multiply(row, factor, row);
            }
        }
    }
}
