using System.Numerics.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>The settings of one Muon step.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Momentum">How slowly the mean of the gradients forgets.</param>
/// <param name="WeightDecay">The weight is multiplied by 1 - LearningRate * WeightDecay before the step.</param>
/// <param name="Nesterov">The step looks ahead: gradient + Momentum * (mean - gradient).</param>
/// <param name="MatchAdam">
/// Steps of the size that AdamW's have, 0.2 sqrt(max(rows, columns)) (Liu et al. 2025), so that both share one learning
/// rate; otherwise sqrt(max(1, rows / columns)) (Jordan 2024).
/// </param>
/// <param name="Iterations">Of Newton-Schulz.</param>
public readonly record struct MuonStep(double LearningRate, double Momentum, double WeightDecay, bool Nesterov, bool MatchAdam, int Iterations = 5);

/// <summary>
/// Muon (Jordan 2024): the mean of a matrix's gradients, with all its singular values brought near 1, is the step. The
/// rare directions of the gradient count as much as the common ones.
/// </summary>
public static unsafe class Orthogonalization
{
    // Jordan's polynomial a x + b x³ + c x⁵, which takes singular values to within [0.7, 1.2] in five iterations.
    private const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

    /// <summary>Floats of <c>scratch</c> that <see cref="Muon"/> needs for a weight.</summary>
    public static long ScratchFloats(Weight weight)
    {
        long n = Math.Min(weight.Rows, weight.Columns);
        return 2 * weight.Count + 2 * n * n;
    }

    /// <summary>Changes a weight matrix [rows, columns] in place.</summary>
    /// <param name="mean">The gradients' moving mean, of the weight's shape; zeros before the first step.</param>
    /// <param name="scratch">At least <see cref="ScratchFloats"/> elements, overwritten.</param>
    /// <param name="gradientScale">Multiplies the gradient as it is read.</param>
    public static void Muon(Engine engine, Weight weight, Tensor mean, Tensor scratch, MuonStep step, double gradientScale = 1)
    {
        if (!weight.Trainable || mean.Count != weight.Count || scratch.Count < ScratchFloats(weight))
        {
            throw new ArgumentException($"{weight.Name} [{weight.Rows}, {weight.Columns}] is frozen, or its state is [{mean.Rows}, {mean.Columns}] or its scratch too small", nameof(weight));
        }

        var count = checked((int)weight.Count);
        var update = new Span<float>(scratch.Data, count);
        var means = new Span<float>(mean.Data, count);
        TensorPrimitives.Multiply(new ReadOnlySpan<float>(weight.Gradient!.Data, count), (float)gradientScale, update);
        TensorPrimitives.Lerp(means, update, (float)(1 - step.Momentum), means);
        if (step.Nesterov)
        {
            TensorPrimitives.Lerp(update, means, (float)step.Momentum, update);
        }
        else
        {
            means.CopyTo(update);
        }

        TensorPrimitives.Multiply(update, 1 / MathF.Max(TensorPrimitives.Norm<float>(update), 1e-7f), update);
        var direction = new ReadOnlySpan<float>(Iterate(engine, weight.Rows, weight.Columns, scratch.Data, step.Iterations), count);

        var scale = step.MatchAdam
            ? 0.2 * Math.Sqrt(Math.Max(weight.Rows, weight.Columns))
            : Math.Sqrt(Math.Max(1, (double)weight.Rows / weight.Columns));
        var values = new Span<float>(weight.Floats, count);
        TensorPrimitives.Multiply(values, (float)(1 - step.LearningRate * step.WeightDecay), values);
        TensorPrimitives.MultiplyAdd(direction, (float)(-step.LearningRate * scale), values, values);
        weight.Changed();
    }

    /// <summary>X ← a X + (b G + c G²) X with G = X Xᵀ, or from the right with G = Xᵀ X where X is tall: G is the smaller square.</summary>
    /// <returns>Where the last X lies.</returns>
    private static float* Iterate(Engine engine, int rows, int columns, float* x, int iterations)
    {
        var tall = rows > columns;
        var n = Math.Min(rows, columns);
        var count = rows * columns;
        var next = x + count;
        var gram = next + count;
        var polynomial = gram + n * n;
        for (var i = 0; i < iterations; i++)
        {
            if (tall)
            {
                Gemm.Run(engine, n, n, rows, x, 1, columns, new Operand(x, columns, transposed: false), gram, n, accumulate: false);
            }
            else
            {
                Gemm.Run(engine, n, n, columns, x, columns, 1, new Operand(x, columns, transposed: true), gram, n, accumulate: false);
            }

            Gemm.Run(engine, n, n, n, gram, n, 1, new Operand(gram, n, transposed: false), polynomial, n, accumulate: false);
            var squares = new Span<float>(polynomial, n * n);
            TensorPrimitives.Multiply(squares, C, squares);
            TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(gram, n * n), B, squares, squares);

            TensorPrimitives.Multiply(new ReadOnlySpan<float>(x, count), A, new Span<float>(next, count));
            if (tall)
            {
                Gemm.Run(engine, rows, n, n, x, columns, 1, new Operand(polynomial, n, transposed: false), next, columns, accumulate: true);
            }
            else
            {
                Gemm.Run(engine, n, columns, n, polynomial, n, 1, new Operand(x, columns, transposed: false), next, columns, accumulate: true);
            }

            var last = x;
            x = next;
            next = last;
        }

        return x;
    }
}
