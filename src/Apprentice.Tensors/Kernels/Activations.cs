using System.Numerics;
using System.Numerics.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tensors.Kernels;

/// <summary>The point-wise non-linearities: f and its slope.</summary>
internal static class Activations
{
    /// <summary>y = f(x). y and x may be the same memory; work is as long as they are.</summary>
    public static void Forward(Activation kind, ReadOnlySpan<float> x, Span<float> y, Span<float> work)
    {
        switch (kind)
        {
            case Activation.Silu or Activation.GeluTanh or Activation.GeluQuick:
                SigmoidOfPolynomial(kind, x, work);
                TensorPrimitives.Multiply(x, work, y);
                break;
            case Activation.Gelu:
                NormalDensityTimesRoot2Pi(x, work);
                NormalDistribution(x, work, work);
                TensorPrimitives.Multiply(x, work, y);
                break;
            case Activation.SquaredRelu:
                TensorPrimitives.Max(x, 0f, y);
                TensorPrimitives.Multiply(y, y, y);
                break;
            case Activation.Sigmoid:
                Exponential.Sigmoid(x, y);
                break;
            case Activation.Tanh:
                TensorPrimitives.Tanh(x, y);
                break;
            case Activation.Softplus:
                for (var i = 0; i < x.Length; i++)
                {
                    y[i] = (float)(Math.Max(x[i], 0.0) + Math.Log(1 + Math.Exp(-Math.Abs((double)x[i]))));
                }

                break;
            default:
                throw new NotSupportedException($"activation {kind}");
        }
    }

    /// <summary>slope = f'(x). No two of the spans may be the same memory. Of the family x * sigmoid(u), work has sigmoid(u) afterwards.</summary>
    public static void Slope(Activation kind, ReadOnlySpan<float> x, Span<float> slope, Span<float> work)
    {
        switch (kind)
        {
            case Activation.Silu or Activation.GeluTanh or Activation.GeluQuick:
                SigmoidOfPolynomial(kind, x, work);
                SlopeFromSigmoid(kind, x, work, slope);
                break;
            case Activation.Gelu:
                // Phi(x) + x phi(x)
                NormalDensityTimesRoot2Pi(x, work);
                NormalDistribution(x, work, slope);
                TensorPrimitives.Multiply(work, x, work);
                TensorPrimitives.Multiply(work, 1 / MathF.Sqrt(2 * MathF.PI), work);
                TensorPrimitives.Add(slope, work, slope);
                break;
            case Activation.SquaredRelu:
                TensorPrimitives.Max(x, 0f, slope);
                TensorPrimitives.Multiply(slope, 2f, slope);
                break;
            case Activation.Sigmoid:
                Exponential.Sigmoid(x, slope);
                TensorPrimitives.Subtract(1f, slope, work);
                TensorPrimitives.Multiply(slope, work, slope);
                break;
            case Activation.Tanh:
                TensorPrimitives.Tanh(x, work);
                TensorPrimitives.Multiply(work, work, work);
                TensorPrimitives.Subtract(1f, work, slope);
                break;
            case Activation.Softplus:
                Exponential.Sigmoid(x, slope);
                break;
            default:
                throw new NotSupportedException($"activation {kind}");
        }
    }

    /// <summary>Both, in less time than one after the other where they have a part in common. No two of the spans may be the same memory.</summary>
    public static void ForwardAndSlope(Activation kind, ReadOnlySpan<float> x, Span<float> y, Span<float> slope, Span<float> work)
    {
        Slope(kind, x, slope, work);
        if (kind is Activation.Silu or Activation.GeluTanh or Activation.GeluQuick)
        {
            TensorPrimitives.Multiply(x, work, y);
        }
        else
        {
            Forward(kind, x, y, work);
        }
    }

    /// <summary>The family x * sigmoid(a x + b x³).</summary>
    private static (float A, float B) Polynomial(Activation kind)
    {
        const float TwoRoot2OverPi = 1.5957691216057308f;
        return kind switch
        {
            Activation.GeluTanh => (TwoRoot2OverPi, TwoRoot2OverPi * 0.044715f),
            Activation.GeluQuick => (1.702f, 0),
            _ => (1, 0),
        };
    }

    private static void SigmoidOfPolynomial(Activation kind, ReadOnlySpan<float> x, Span<float> s)
    {
        var (a, b) = Polynomial(kind);
        if (kind == Activation.Silu)
        {
            Exponential.Sigmoid(x, s);
            return;
        }

        TensorPrimitives.Multiply(x, x, s);
        TensorPrimitives.Multiply(s, b, s);
        TensorPrimitives.Add(s, a, s);
        TensorPrimitives.Multiply(s, x, s);
        Exponential.Sigmoid(s, s);
    }

    /// <summary>s + x s (1 - s) u' = s (1 + x u' (1 - s)) with u' = a + 3b x².</summary>
    private static void SlopeFromSigmoid(Activation kind, ReadOnlySpan<float> x, ReadOnlySpan<float> s, Span<float> slope)
    {
        var (a, b) = Polynomial(kind);
        var b3 = 3 * b;
        var lanes = Vector<float>.Count;
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            var (xs, ss) = (new Vector<float>(x[i..]), new Vector<float>(s[i..]));
            (ss * (Vector<float>.One + xs * (xs * xs * b3 + new Vector<float>(a)) * (Vector<float>.One - ss))).CopyTo(slope[i..]);
        }

        for (; i < x.Length; i++)
        {
            slope[i] = s[i] * (1 + x[i] * (x[i] * x[i] * b3 + a) * (1 - s[i]));
        }
    }

    /// <summary>exp(-x²/2).</summary>
    private static void NormalDensityTimesRoot2Pi(ReadOnlySpan<float> x, Span<float> density)
    {
        TensorPrimitives.Multiply(x, x, density);
        TensorPrimitives.Multiply(density, -0.5f, density);
        Exponential.Exp(density, density);
    }

    /// <summary>
    /// Phi(x) from x and exp(-x²/2): Abramowitz and Stegun 7.1.26, off by at most 1e-7. phi may be density's memory.
    /// </summary>
    private static void NormalDistribution(ReadOnlySpan<float> x, ReadOnlySpan<float> density, Span<float> phi)
    {
        const float P = 0.3275911f * 0.70710678f; // of |x| / sqrt(2)
        const float A1 = 0.254829592f / 2, A2 = -0.284496736f / 2, A3 = 1.421413741f / 2, A4 = -1.453152027f / 2, A5 = 1.061405429f / 2;
        var lanes = Vector<float>.Count;
        var i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            var value = new Vector<float>(x[i..]);
            var t = Vector<float>.One / (Vector<float>.One + Vector.Abs(value) * P);
            var polynomial = ((((t * A5 + new Vector<float>(A4)) * t + new Vector<float>(A3)) * t + new Vector<float>(A2)) * t + new Vector<float>(A1)) * t;
            var tail = polynomial * new Vector<float>(density[i..]);
            Vector.ConditionalSelect(Vector.LessThan(value, Vector<float>.Zero), tail, Vector<float>.One - tail).CopyTo(phi[i..]);
        }

        for (; i < x.Length; i++)
        {
            var t = 1 / (1 + MathF.Abs(x[i]) * P);
            var tail = ((((t * A5 + A4) * t + A3) * t + A2) * t + A1) * t * density[i];
            phi[i] = x[i] < 0 ? tail : 1 - tail;
        }
    }
}
