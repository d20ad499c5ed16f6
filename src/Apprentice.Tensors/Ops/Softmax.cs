using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// y = exp(x) / sum(exp(x)) a row at a time, the maximum taken off first. A row of nothing but -inf gives zeros and has
/// no gradient.
/// </summary>
public static unsafe class Softmax
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x) => RowOperation.Apply(tape, x, x.Columns, default(Function));

    private readonly struct Function : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            var from = new ReadOnlySpan<float>(x, width);
            var to = new Span<float>(y, width);
            var max = TensorPrimitives.Max(from);
            if (float.IsNegativeInfinity(max))
            {
                to.Clear();
                return;
            }

            from.CopyTo(to);
            TensorPrimitives.Multiply(to, 1 / Kernels.Rows.ExpSum(y, width, max), to);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            // dx = y (dy - sum(y dy))
            Forward(row, x, work, width, work);
            var to = new Span<float>(dx, width);
            TensorPrimitives.Subtract(new ReadOnlySpan<float>(dy, width), Kernels.Rows.Dot(work, dy, width), to);
            TensorPrimitives.Multiply(to, new ReadOnlySpan<float>(work, width), to);
        }
    }
}
