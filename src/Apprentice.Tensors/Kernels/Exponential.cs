using System.Numerics;
using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// exp in single precision, off by less than one unit in the last place (TensorPrimitives works it out in doubles, at a
/// third of the speed). An element has the same bits wherever it lies. exp(NaN) is NaN; results too large are infinity, and
/// those below the smallest normal number (1.2e-38) 0.
/// </summary>
internal static unsafe class Exponential
{
    /// <summary>y = exp(x); they may be the same memory.</summary>
    public static void Exp(ReadOnlySpan<float> x, Span<float> y) => Run<Plain>(x, y);

    /// <summary>y = 1 / (1 + exp(-x)); they may be the same memory.</summary>
    public static void Sigmoid(ReadOnlySpan<float> x, Span<float> y) => Run<Logistic>(x, y);

    private interface IFunction
    {
        static abstract Vector<float> Of(Vector<float> x);
    }

    private readonly struct Plain : IFunction
    {
        public static Vector<float> Of(Vector<float> x) => Exponential.Of(x);
    }

    private readonly struct Logistic : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Exponential.Of(-x));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IFunction
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(y.Length, x.Length);
        var lanes = Vector<float>.Count;
        fixed (float* from = x, to = y)
        {
            var i = 0;
            for (; i <= x.Length - lanes; i += lanes)
            {
                TFunction.Of(Vector.Load(from + i)).Store(to + i);
            }

            if (i < x.Length)
            {
                Vector<float> last = default;
                x[i..].CopyTo(new Span<float>(&last, lanes));
                last = TFunction.Of(last);
                new Span<float>(&last, x.Length - i).CopyTo(y[i..]);
            }
        }
    }

    /// <summary>
    /// exp(x) = 2ⁿ exp(r) with n = round(x / ln 2): r = x - n ln 2 in two steps, of which the first is exact, and a polynomial
    /// for exp(r) with the smallest largest relative error, 3e-9, where |r| is at most ln 2 / 2 (Remez).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Of(Vector<float> x)
    {
        const float Least = -87.33654f, Greatest = 88.72283f; // beyond them it is 0 and infinity
        const float Shift = 12582912; // 1.5 * 2²³: added, it leaves no bits for a fraction
        var shifted = Vector.MultiplyAddEstimate(x, new Vector<float>(1.44269504f), new Vector<float>(Shift));
        var n = shifted - new Vector<float>(Shift);
        var r = Vector.MultiplyAddEstimate(n, new Vector<float>(-0.693145752f), x);
        r = Vector.MultiplyAddEstimate(n, new Vector<float>(-1.42860682e-6f), r);
        var squared = r * r; // the terms in pairs, which do not wait for each other
        var high = Vector.MultiplyAddEstimate(r, new Vector<float>(0.00836871688f), new Vector<float>(0.0416683880f));
        var low = Vector.MultiplyAddEstimate(r, new Vector<float>(0.166665206f), new Vector<float>(0.499999934f));
        high = Vector.MultiplyAddEstimate(squared, new Vector<float>(0.00138145986f), high);
        var p = Vector.MultiplyAddEstimate(Vector.MultiplyAddEstimate(high, squared, low), squared, r) + Vector<float>.One;

        // n is in the last bits of what was shifted, and is added to the exponent: no product, which for results near 0 takes a processor 50 times as long.
        var y = Vector.AsVectorSingle(Vector.AsVectorInt32(p) + (Vector.AsVectorInt32(shifted) << 23));
        y = Vector.ConditionalSelect(Vector.LessThan(x, new Vector<float>(Least)), Vector<float>.Zero, y);
        y = Vector.ConditionalSelect(Vector.GreaterThan(x, new Vector<float>(Greatest)), new Vector<float>(float.PositiveInfinity), y);
        return Vector.ConditionalSelect(Vector.Equals(x, x), y, x);
    }
}
