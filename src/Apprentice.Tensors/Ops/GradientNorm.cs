using System.Numerics.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>The length of all gradients together, and clipping by it (Pascanu et al. 2013).</summary>
public static unsafe class GradientNorm
{
    private const int ElementsPerBlock = 1 << 14;

    /// <summary>
    /// The sum of the squares of all gradients, in double, over fixed blocks in a fixed order: the same bits for any
    /// number of threads.
    /// </summary>
    /// <param name="weights">Frozen ones count nothing.</param>
    /// <exception cref="ArithmeticException">A gradient holds NaN or infinity; the message names the weight and the element.</exception>
    public static double Squared(Engine engine, IEnumerable<Weight> weights)
    {
        var total = 0.0;
        foreach (var weight in weights)
        {
            if (weight.Gradient is not { } gradient)
            {
                continue;
            }

            var blocks = checked((int)((gradient.Count + ElementsPerBlock - 1) / ElementsPerBlock));
            var squares = (double*)engine.Arena.Rent(blocks * (sizeof(double) / sizeof(float)));
            engine.Team.Run(blocks, new SquareJob(gradient.Count, gradient.Data, squares));
            var sum = 0.0;
            for (var block = 0; block < blocks; block++)
            {
                sum += squares[block];
            }

            engine.Arena.Return((float*)squares);

            // Squares of floats cannot overflow a double: the sum is finite unless an element was not.
            if (!double.IsFinite(sum))
            {
                var at = FirstNotFinite(gradient);
                throw new ArithmeticException($"the gradient of {weight.Name} is {gradient.Data[at]} at row {at / gradient.Columns}, column {at % gradient.Columns}");
            }

            total += sum;
        }

        return total;
    }

    /// <summary>The factor that brings a norm down to a maximum: min(1, maximum / (norm + 1e-6)).</summary>
    public static double ClipScale(double norm, double maximum) => Math.Min(1, maximum / (norm + 1e-6));

    /// <summary>Multiplies all gradients; the updates of <see cref="ParameterUpdate"/> can do so as they read them.</summary>
    public static void Scale(Engine engine, IEnumerable<Weight> weights, double scale)
    {
        foreach (var gradient in weights.Select(w => w.Gradient).OfType<Tensor>())
        {
            engine.Team.Run(checked((int)((gradient.Count + ElementsPerBlock - 1) / ElementsPerBlock)), new ScaleJob(gradient.Count, gradient.Data, (float)scale));
        }
    }

    private static long FirstNotFinite(Tensor gradient)
    {
        long at = 0;
        while (float.IsFinite(gradient.Data[at]))
        {
            at++;
        }

        return at;
    }

    private static int Length(int block, long count) => (int)Math.Min(ElementsPerBlock, count - (long)block * ElementsPerBlock);

    private readonly struct SquareJob(long count, float* values, double* sums) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var from = values + (long)part * ElementsPerBlock;
            var length = Length(part, count);

            // Four sums, so that an addition need not wait for the one before.
            double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            var i = 0;
            for (; i <= length - 4; i += 4)
            {
                s0 += (double)from[i] * from[i];
                s1 += (double)from[i + 1] * from[i + 1];
                s2 += (double)from[i + 2] * from[i + 2];
                s3 += (double)from[i + 3] * from[i + 3];
            }

            for (; i < length; i++)
            {
                s0 += (double)from[i] * from[i];
            }

            sums[part] = s0 + s1 + (s2 + s3);
        }
    }

    private readonly struct ScaleJob(long count, float* values, float scale) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var span = new Span<float>(values + (long)part * ElementsPerBlock, Length(part, count));
            TensorPrimitives.Multiply(span, scale, span);
        }
    }
}
