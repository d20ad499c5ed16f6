using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x - log(sum(exp(x))) a row at a time. A row of nothing but -inf stays as it is and has no gradient.</summary>
public static unsafe class LogSoftmax
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x) => RowOperation.Apply(tape, x, x.Columns, default(Function));

    /// <summary>Log-probabilities of one row of logits; <paramref name="work"/> takes width floats.</summary>
    internal static void Row(float* x, float* y, int width, float* work)
    {
        var logSum = Kernels.Rows.LogSumExp(x, width, work, out var max);
        var from = new ReadOnlySpan<float>(x, width);
        var to = new Span<float>(y, width);
        if (float.IsNegativeInfinity(max))
        {
            from.CopyTo(to);
            return;
        }

        TensorPrimitives.Subtract(from, max, to);
        TensorPrimitives.Subtract(to, logSum, to);
    }

    private readonly struct Function : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work) => Row(x, y, width, work);

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            // dx = dy - exp(y) sum(dy)
            Row(x, dx, width, work);
            var to = new Span<float>(dx, width);
            if (float.IsNegativeInfinity(TensorPrimitives.Max(to)))
            {
                to.Clear();
                return;
            }

            Exponential.Exp(to, to);
            TensorPrimitives.Multiply(to, -Kernels.Rows.Sum(dy, width), to);
            TensorPrimitives.Add(to, new ReadOnlySpan<float>(dy, width), to);
        }
    }
}
