using System.Numerics;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>The settings of one AdamW step.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Step">From 1, for the bias correction.</param>
public readonly record struct AdamWStep(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, int Step);

/// <summary>Changes trainable weights by their gradients, in fixed parts so that threads do not matter.</summary>
public static unsafe class ParameterUpdate
{
    private const int ElementsPerPart = 1 << 14;

    /// <summary>
    /// AdamW with decoupled weight decay (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it.
    /// </summary>
    /// <param name="first">Running mean of the gradient, same shape as the weight.</param>
    /// <param name="second">Running mean of its square.</param>
    /// <param name="gradientScale">Multiplies the gradient first (clipping).</param>
    public static void AdamW(Engine engine, Weight weight, Tensor first, Tensor second, AdamWStep step, double gradientScale = 1)
    {
        var correction1 = 1 - Math.Pow(step.Beta1, step.Step);
        var correction2 = 1 - Math.Pow(step.Beta2, step.Step);
        engine.Team.Run(Parts(weight), new AdamWJob(
            weight.Count,
            weight.Floats,
            Gradient(weight),
            first.Data,
            second.Data,
            (float)gradientScale,
            (float)step.Beta1,
            (float)step.Beta2,
            (float)(1 - step.LearningRate * step.WeightDecay),
            (float)(step.LearningRate / correction1),
            (float)(1 / Math.Sqrt(correction2)),
            (float)step.Epsilon));
    }

    /// <summary>The sum of the squares of a weight's gradient, in double over fixed parts in a fixed order.</summary>
    public static double SquaredGradientNorm(Engine engine, Weight weight)
    {
        var parts = Parts(weight);
        var sums = new double[parts];
        engine.Team.Run(parts, new SquareJob(weight.Count, Gradient(weight), sums));
        return sums.Sum();
    }

    /// <summary>Sets the gradient to zero for the next step.</summary>
    public static void ClearGradient(Weight weight) => new Span<float>(Gradient(weight), checked((int)weight.Count)).Clear();

    private static float* Gradient(Weight weight) =>
        (weight.Gradient ?? throw new ArgumentException($"{weight.Name} is frozen", nameof(weight))).Data;

    private static int Parts(Weight weight) => (int)((weight.Count + ElementsPerPart - 1) / ElementsPerPart);

    private readonly struct SquareJob(long count, float* gradient, double[] sums) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var sum = 0.0;
            for (var i = (long)part * ElementsPerPart; i < Math.Min(count, (part + 1L) * ElementsPerPart); i++)
            {
                sum += (double)gradient[i] * gradient[i];
            }

            sums[part] = sum;
        }
    }

    private readonly struct AdamWJob(
        long count, float* weight, float* gradient, float* first, float* second,
        float scale, float beta1, float beta2, float keep, float rate, float inverseRoot2, float epsilon) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var i = (long)part * ElementsPerPart;
            var end = Math.Min(count, i + ElementsPerPart);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                var g = Vector.Load(gradient + i) * scale;
                var m = Vector.Load(first + i) * beta1 + g * (1 - beta1);
                var v = Vector.Load(second + i) * beta2 + g * g * (1 - beta2);
                var w = Vector.Load(weight + i) * keep - m * rate / (Vector.SquareRoot(v) * inverseRoot2 + new Vector<float>(epsilon));
                m.Store(first + i);
                v.Store(second + i);
                w.Store(weight + i);
            }

            for (; i < end; i++)
            {
                var g = gradient[i] * scale;
                first[i] = first[i] * beta1 + g * (1 - beta1);
                second[i] = second[i] * beta2 + g * g * (1 - beta2);
                weight[i] = weight[i] * keep - first[i] * rate / (MathF.Sqrt(second[i]) * inverseRoot2 + epsilon);
            }
        }
    }
}
