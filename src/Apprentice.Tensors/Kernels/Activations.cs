using System.Numerics.Tensors;

namespace Apprentice.Tensors.Kernels;

/// <summary>The point-wise non-linearities: f and, from x and dy, the gradient.</summary>
internal static class Activations
{
    /// <summary>y = f(x). y and x may be the same memory.</summary>
    public static void Forward(Ops.Activation kind, ReadOnlySpan<float> x, Span<float> y, Span<float> work)
    {
        switch (kind)
        {
            case Ops.Activation.Silu:
                TensorPrimitives.Sigmoid(x, work);
                TensorPrimitives.Multiply(x, work, y);
                break;
            default:
                throw new NotSupportedException($"activation {kind}");
        }
    }

    /// <summary>slope = f'(x).</summary>
    public static void Slope(Ops.Activation kind, ReadOnlySpan<float> x, Span<float> slope, Span<float> work)
    {
        switch (kind)
        {
            case Ops.Activation.Silu:
                // s + x s (1 - s) = s (1 + x - x s)
                TensorPrimitives.Sigmoid(x, work);
                TensorPrimitives.Multiply(x, work, slope);
                TensorPrimitives.Subtract(x, slope, slope);
                TensorPrimitives.Add(slope, 1f, slope);
                TensorPrimitives.Multiply(slope, work, slope);
                break;
            default:
                throw new NotSupportedException($"activation {kind}");
        }
    }
}
