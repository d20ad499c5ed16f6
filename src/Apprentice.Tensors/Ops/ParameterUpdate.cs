using System.Numerics;
using System.Runtime.CompilerServices;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>The settings of one AdamW step.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the bias-corrected square root.</param>
/// <param name="WeightDecay">The weight is multiplied by 1 - LearningRate * WeightDecay before the step.</param>
/// <param name="Step">From 1, for the bias correction.</param>
public readonly record struct AdamWStep(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, int Step);

/// <summary>The settings of one step of stochastic gradient descent.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Momentum">Decay of the momentum buffer; 0: none.</param>
/// <param name="Dampening">The gradient enters the buffer times 1 - Dampening, but whole at the first step.</param>
/// <param name="WeightDecay">Times the weight, added to the gradient.</param>
/// <param name="Nesterov">The step looks ahead: gradient + Momentum * buffer.</param>
/// <param name="Step">From 1.</param>
public readonly record struct SgdStep(double LearningRate, double Momentum, double Dampening, double WeightDecay, bool Nesterov, int Step);

/// <summary>
/// Changes a trainable weight by its gradient, in place: float32, scalars computed in double, each element by itself, so
/// that the bits depend neither on threads nor on the instruction set.
/// </summary>
public static unsafe class ParameterUpdate
{
    private const int ElementsPerPart = 1 << 14;

    /// <summary>
    /// AdamW (Loshchilov and Hutter 2019). With m and v the moving averages of g and g²:
    /// w -= lr * decay * w, then w -= lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps).
    /// </summary>
    /// <param name="first">First moment m, of the weight's shape; zeros before the first step.</param>
    /// <param name="second">Second moment v, likewise.</param>
    /// <param name="gradientScale">Multiplies the gradient as it is read (clipping, the division by a batch's weight).</param>
    /// <param name="maximum">AMSGrad's largest v so far (Reddi et al. 2018), used in place of v, or null.</param>
    public static void AdamW(
        Engine engine, Weight weight, Tensor first, Tensor second, AdamWStep step, double gradientScale = 1, Tensor? maximum = null)
    {
        Check(weight, first, nameof(first));
        Check(weight, second, nameof(second));
        Check(weight, maximum, nameof(maximum));
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1);
        var (b1, b2) = (step.Beta1, step.Beta2);
        engine.Team.Run(Parts(weight), new AdamWJob(
            weight.Count,
            weight.Floats,
            weight.Gradient!.Data,
            first.Data,
            second.Data,
            maximum is null ? null : maximum.Data,
            new AdamWFactors(
                (float)gradientScale,
                (float)b1,
                (float)(1 - b1),
                (float)b2,
                (float)(1 - b2),
                (float)(1 - step.LearningRate * step.WeightDecay),
                (float)(step.LearningRate / (1 - Math.Pow(b1, step.Step))),
                (float)(1 / Math.Sqrt(1 - Math.Pow(b2, step.Step))),
                (float)step.Epsilon)));
        weight.Changed();
    }

    /// <summary>
    /// Stochastic gradient descent with momentum (Sutskever et al. 2013): g += decay * w; buffer = momentum * buffer +
    /// (1 - dampening) * g, at the first step g itself; w -= lr * (buffer, or g + momentum * buffer with Nesterov).
    /// </summary>
    /// <param name="momentum">The buffer, of the weight's shape; may be null where step.Momentum is 0.</param>
    /// <param name="gradientScale">Multiplies the gradient as it is read.</param>
    public static void Sgd(Engine engine, Weight weight, Tensor? momentum, SgdStep step, double gradientScale = 1)
    {
        Check(weight, momentum, nameof(momentum));
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1);
        if (momentum is null && step.Momentum != 0)
        {
            throw new ArgumentException($"momentum {step.Momentum} needs a buffer", nameof(momentum));
        }

        engine.Team.Run(Parts(weight), new SgdJob(
            weight.Count,
            weight.Floats,
            weight.Gradient!.Data,
            step.Momentum == 0 ? null : momentum!.Data,
            new SgdFactors(
                (float)gradientScale,
                (float)step.WeightDecay,
                step.Step == 1 ? 0 : (float)step.Momentum,
                step.Step == 1 ? 1 : (float)(1 - step.Dampening),
                (float)step.Momentum,
                step.Nesterov,
                (float)step.LearningRate)));
        weight.Changed();
    }

    /// <summary>Sets the gradient to zero for the next step.</summary>
    public static void ClearGradient(Weight weight)
    {
        Check(weight, null, nameof(weight));
        new Span<float>(weight.Gradient!.Data, checked((int)weight.Count)).Clear();
    }

    private static void Check(Weight weight, Tensor? state, string name)
    {
        if (!weight.Trainable || (state is not null && state.Count != weight.Count))
        {
            throw new ArgumentException($"{weight.Name} [{weight.Rows}, {weight.Columns}] is frozen or its state is [{state?.Rows}, {state?.Columns}]", name);
        }
    }

    private static int Parts(Weight weight) => checked((int)((weight.Count + ElementsPerPart - 1) / ElementsPerPart));

    private static (long First, long End) Range(int part, long count) =>
        ((long)part * ElementsPerPart, Math.Min(count, (part + 1L) * ElementsPerPart));

    private readonly record struct AdamWFactors(
        float Gradient, float Beta1, float OneLessBeta1, float Beta2, float OneLessBeta2, float Keep, float Step, float RootCorrection, float Epsilon);

    private readonly struct AdamWJob(long count, float* w, float* g, float* m, float* v, float* maximum, AdamWFactors f) : IJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part, Scratch scratch)
        {
            var (i, end) = Range(part, count);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                var gradient = Vector.Load(g + i) * f.Gradient;
                var moment = Vector.Load(m + i) * f.Beta1 + gradient * f.OneLessBeta1;
                var square = Vector.Load(v + i) * f.Beta2 + gradient * gradient * f.OneLessBeta2;
                moment.Store(m + i);
                square.Store(v + i);
                if (maximum != null)
                {
                    square = Vector.Max(square, Vector.Load(maximum + i));
                    square.Store(maximum + i);
                }

                var divisor = Vector.SquareRoot(square) * f.RootCorrection + new Vector<float>(f.Epsilon);
                (Vector.Load(w + i) * f.Keep - moment * f.Step / divisor).Store(w + i);
            }

            for (; i < end; i++)
            {
                var gradient = g[i] * f.Gradient;
                m[i] = m[i] * f.Beta1 + gradient * f.OneLessBeta1;
                v[i] = v[i] * f.Beta2 + gradient * gradient * f.OneLessBeta2;
                var square = v[i];
                if (maximum != null)
                {
                    maximum[i] = square = MathF.Max(square, maximum[i]);
                }

                w[i] = w[i] * f.Keep - m[i] * f.Step / (MathF.Sqrt(square) * f.RootCorrection + f.Epsilon);
            }
        }
    }

    private readonly record struct SgdFactors(float Gradient, float Decay, float Momentum, float Enter, float Ahead, bool Nesterov, float Step);

    private readonly struct SgdJob(long count, float* w, float* g, float* buffer, SgdFactors f) : IJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part, Scratch scratch)
        {
            var (i, end) = Range(part, count);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                var change = Vector.Load(g + i) * f.Gradient + Vector.Load(w + i) * f.Decay;
                if (buffer != null)
                {
                    var momentum = Vector.Load(buffer + i) * f.Momentum + change * f.Enter;
                    momentum.Store(buffer + i);
                    change = !f.Nesterov ? momentum : change + momentum * f.Ahead;
                }

                (Vector.Load(w + i) - change * f.Step).Store(w + i);
            }

            for (; i < end; i++)
            {
                var change = g[i] * f.Gradient + w[i] * f.Decay;
                if (buffer != null)
                {
                    buffer[i] = buffer[i] * f.Momentum + change * f.Enter;
                    change = !f.Nesterov ? buffer[i] : change + buffer[i] * f.Ahead;
                }

                w[i] -= change * f.Step;
            }
        }
    }
}
