using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>y = cap * tanh(x / cap): keeps logits within (-cap, cap) (Gemma 2, 2024).</summary>
public static unsafe class Softcap
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, float cap) => RowOperation.Apply(tape, x, x.Columns, new Function(cap));

    /// <summary>Bends values where they lie.</summary>
    internal static void Bend(Span<float> values, float cap)
    {
        TensorPrimitives.Multiply(values, 1 / cap, values);
        TensorPrimitives.Tanh(values, values);
        TensorPrimitives.Multiply(values, cap, values);
    }

    private readonly struct Function(float cap) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            var to = new Span<float>(y, width);
            TensorPrimitives.Divide(new ReadOnlySpan<float>(x, width), cap, to);
            TensorPrimitives.Tanh(to, to);
            TensorPrimitives.Multiply(to, cap, to);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            var to = new Span<float>(dx, width);
            TensorPrimitives.Divide(new ReadOnlySpan<float>(x, width), cap, to);
            TensorPrimitives.Tanh(to, to);
            TensorPrimitives.Multiply(to, to, to);
            TensorPrimitives.Subtract(1f, to, to);
            TensorPrimitives.Multiply(to, new ReadOnlySpan<float>(dy, width), to);
        }
    }
}
