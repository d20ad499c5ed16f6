using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = f(x) for each element; see <see cref="Activation"/> for the functions.</summary>
public static unsafe class PointwiseActivation
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, Activation activation) =>
        RowOperation.Apply(tape, x, x.Columns, new Function(activation));

    private readonly struct Function(Activation activation) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work) =>
            Activations.Forward(activation, new ReadOnlySpan<float>(x, width), new Span<float>(y, width), new Span<float>(work, width));

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            var slope = new Span<float>(dx, width);
            Activations.Slope(activation, new ReadOnlySpan<float>(x, width), slope, new Span<float>(work, width));
            TensorPrimitives.Multiply(slope, new ReadOnlySpan<float>(dy, width), slope);
        }
    }
}
