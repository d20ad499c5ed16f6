using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Reductions over one row in an order that depends on its length alone, so that the same row gives the same bits
/// wherever it lies (TensorPrimitives' sums depend on alignment).
/// </summary>
internal static unsafe class Rows
{
    /// <summary>The sum of x[i]*y[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* x, float* y, int count)
    {
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        var lanes = Vector<float>.Count;
        var i = 0;
        for (; i <= count - 4 * lanes; i += 4 * lanes)
        {
            s0 = Vector.MultiplyAddEstimate(Vector.Load(x + i), Vector.Load(y + i), s0);
            s1 = Vector.MultiplyAddEstimate(Vector.Load(x + i + lanes), Vector.Load(y + i + lanes), s1);
            s2 = Vector.MultiplyAddEstimate(Vector.Load(x + i + 2 * lanes), Vector.Load(y + i + 2 * lanes), s2);
            s3 = Vector.MultiplyAddEstimate(Vector.Load(x + i + 3 * lanes), Vector.Load(y + i + 3 * lanes), s3);
        }

        for (; i <= count - lanes; i += lanes)
        {
            s0 = Vector.MultiplyAddEstimate(Vector.Load(x + i), Vector.Load(y + i), s0);
        }

        var sum = Vector.Sum(s0 + s1 + (s2 + s3));
        for (; i < count; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    /// <summary>
    /// The same bits as <see cref="Dot"/> for several x against one y: to[r * toStride] is that of the row r of x.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots(float* x, nint xStride, int rows, float* y, int count, float* to, nint toStride)
    {
        var lanes = Vector<float>.Count;
        var r = 0;
        if (count == 64 && lanes == 8 && Avx512F.IsSupported)
        {
            // The same sums, two of them side by side in one register.
            var (y0, y1, y2, y3) = (Vector512.Load(y), Vector512.Load(y + 16), Vector512.Load(y + 32), Vector512.Load(y + 48));
            for (; r < rows; r++, x += xStride, to += toStride)
            {
                var s01 = Vector512.MultiplyAddEstimate(Vector512.Load(x + 32), y2, Vector512.MultiplyAddEstimate(Vector512.Load(x), y0, default));
                var s23 = Vector512.MultiplyAddEstimate(Vector512.Load(x + 48), y3, Vector512.MultiplyAddEstimate(Vector512.Load(x + 16), y1, default));
                *to = Vector256.Sum(s01.GetLower() + s01.GetUpper() + (s23.GetLower() + s23.GetUpper()));
            }
        }
        else if (count == 8 * lanes)
        {
            // A head of 64 (128 at 512 bits): y stays in registers.
            var (y0, y1, y2, y3) = (Vector.Load(y), Vector.Load(y + lanes), Vector.Load(y + 2 * lanes), Vector.Load(y + 3 * lanes));
            var (y4, y5, y6, y7) = (Vector.Load(y + 4 * lanes), Vector.Load(y + 5 * lanes), Vector.Load(y + 6 * lanes), Vector.Load(y + 7 * lanes));
            for (; r < rows; r++, x += xStride, to += toStride)
            {
                var s0 = Vector.MultiplyAddEstimate(Vector.Load(x + 4 * lanes), y4, Vector.MultiplyAddEstimate(Vector.Load(x), y0, default));
                var s1 = Vector.MultiplyAddEstimate(Vector.Load(x + 5 * lanes), y5, Vector.MultiplyAddEstimate(Vector.Load(x + lanes), y1, default));
                var s2 = Vector.MultiplyAddEstimate(Vector.Load(x + 6 * lanes), y6, Vector.MultiplyAddEstimate(Vector.Load(x + 2 * lanes), y2, default));
                var s3 = Vector.MultiplyAddEstimate(Vector.Load(x + 7 * lanes), y7, Vector.MultiplyAddEstimate(Vector.Load(x + 3 * lanes), y3, default));
                *to = Vector.Sum(s0 + s1 + (s2 + s3));
            }
        }

        for (; r < rows; r++, x += xStride, to += toStride)
        {
            *to = Dot(x, y, count);
        }
    }

    /// <summary>The sum of x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum(float* x, int count)
    {
        Vector<float> s0 = default, s1 = default;
        var lanes = Vector<float>.Count;
        var i = 0;
        for (; i <= count - 2 * lanes; i += 2 * lanes)
        {
            s0 += Vector.Load(x + i);
            s1 += Vector.Load(x + i + lanes);
        }

        for (; i <= count - lanes; i += lanes)
        {
            s0 += Vector.Load(x + i);
        }

        var sum = Vector.Sum(s0 + s1);
        for (; i < count; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    /// <summary>x becomes exp(x - shift); returns the sum of the results.</summary>
    public static float ExpSum(float* x, int count, float shift)
    {
        var row = new Span<float>(x, count);
        TensorPrimitives.Subtract(row, shift, row);
        Exponential.Exp(row, row);
        return Sum(x, count);
    }

    /// <summary>log(sum(exp(x))), stable for large values; <paramref name="work"/> takes count floats.</summary>
    public static float LogSumExp(float* x, int count, float* work) => LogSumExp(x, count, work, out var max) + max;

    /// <summary>
    /// log(sum(exp(x - max))) and the maximum: to be taken off one after the other where x is large, since their sum
    /// has lost the digits that x - max still has. Where the maximum is infinite or NaN the result is 0.
    /// </summary>
    public static float LogSumExp(float* x, int count, float* work, out float max)
    {
        max = TensorPrimitives.Max(new ReadOnlySpan<float>(x, count));
        if (!float.IsFinite(max))
        {
            return 0;
        }

        new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(work, count));
        return MathF.Log(ExpSum(work, count, max));
    }

    /// <summary>y += scale * x.</summary>
    public static void AddScaled(float scale, float* x, float* y, int count) =>
        TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(x, count), scale, new ReadOnlySpan<float>(y, count), new Span<float>(y, count));
}
