using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x / max(|x|, eps) a row at a time: embeddings of length 1.</summary>
public static unsafe class L2Normalize
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, float epsilon = 1e-12f) =>
        RowOperation.Apply(tape, x, x.Columns, new Function(epsilon));

    private readonly struct Function(float epsilon) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work) => TensorPrimitives.Divide(
            new ReadOnlySpan<float>(x, width),
            MathF.Max(MathF.Sqrt(Kernels.Rows.Dot(x, x, width)), epsilon),
            new Span<float>(y, width));

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            // dx = dy / |x| - x (x dy) / |x|³; where |x| <= eps it is a constant that divides
            var length = MathF.Sqrt(Kernels.Rows.Dot(x, x, width));
            TensorPrimitives.Divide(new ReadOnlySpan<float>(dy, width), MathF.Max(length, epsilon), new Span<float>(dx, width));
            if (length > epsilon)
            {
                Kernels.Rows.AddScaled(-(Kernels.Rows.Dot(x, dx, width) / length / length), x, dx, width);
            }
        }
    }
}
