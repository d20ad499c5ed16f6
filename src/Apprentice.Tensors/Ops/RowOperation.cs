using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>A function of one row, without weights.</summary>
internal unsafe interface IRowFunction
{
    /// <summary>y = f(x).</summary>
    /// <param name="row">Number of the row.</param>
    /// <param name="x">width floats.</param>
    /// <param name="y">As many floats as the result has columns.</param>
    /// <param name="work">3 * width floats.</param>
    void Forward(int row, float* x, float* y, int width, float* work);

    /// <summary>dx = the gradient of f at x, given that of y.</summary>
    void Backward(int row, float* x, float* dy, float* dx, int width, float* work);
}

/// <summary>Runs a function over all rows of a tensor, each by itself: what the row-wise operations share.</summary>
internal static unsafe class RowOperation
{
    /// <summary>[rows, width] to [rows, outputColumns]. x is kept for backward.</summary>
    public static Tensor Apply<TFunction>(Tape tape, Tensor x, int outputColumns, TFunction function)
        where TFunction : struct, IRowFunction
    {
        var y = tape.New(x.Rows, outputColumns, x.RequiresGradient);
        var node = new RowNode<TFunction>(y, x, function);
        node.Recompute(tape);
        tape.RecordRepeatable(node);
        return y;
    }

    private sealed class RowNode<TFunction>(Tensor output, Tensor x, TFunction function) : Node(output)
        where TFunction : struct, IRowFunction
    {
        public override void Recompute(Tape tape) => tape.Engine.Team.Run(
            RowParts.Count(x.Rows),
            new ForwardJob<TFunction>(x.Rows, x.Columns, Output.Columns, tape.Values(x), Output.Data, function));

        public override void Backward(Tape tape) => tape.Engine.Team.Run(
            RowParts.Count(x.Rows),
            new BackwardJob<TFunction>(x.Rows, x.Columns, Output.Columns, tape.Values(x), Output.Gradient, tape.ZeroedGradient(x), function));
    }

    private readonly struct ForwardJob<TFunction>(int rows, int width, int outputColumns, float* x, float* y, TFunction function) : IJob
        where TFunction : struct, IRowFunction
    {
        public void Run(int part, Scratch scratch)
        {
            var work = scratch.Floats(3L * width);
            foreach (var r in RowParts.Rows(part, rows))
            {
                function.Forward(r, x + (long)r * width, y + (long)r * outputColumns, width, work);
            }
        }
    }

    private readonly struct BackwardJob<TFunction>(int rows, int width, int outputColumns, float* x, float* dy, float* dx, TFunction function) : IJob
        where TFunction : struct, IRowFunction
    {
        public void Run(int part, Scratch scratch)
        {
            var gradient = scratch.Floats(4L * width);
            foreach (var r in RowParts.Rows(part, rows))
            {
                function.Backward(r, x + (long)r * width, dy + (long)r * outputColumns, gradient, width, gradient + width);
                Kernels.Rows.AddScaled(1, gradient, dx + (long)r * width, width);
            }
        }
    }
}
