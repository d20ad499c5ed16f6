using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = w * (x - mean(x)) / sqrt(var(x) + eps) + b, a row at a time, biased variance (Ba et al. 2016).</summary>
public static unsafe class LayerNorm
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <param name="weight">[width], F32.</param>
    /// <param name="bias">[width], F32, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, Weight weight, Weight? bias, float epsilon)
    {
        if (weight.Count != x.Columns || (bias is not null && bias.Count != x.Columns))
        {
            throw new ArgumentException($"{weight.Name} has {weight.Count} elements, its bias {bias?.Count}; rows of {x.Columns} are to be normalised", nameof(weight));
        }

        var y = tape.New(x.Rows, x.Columns, x.RequiresGradient || weight.Trainable || bias is { Trainable: true });
        var node = new LayerNormNode(y, x, weight, bias, epsilon);
        node.Recompute(tape);
        tape.RecordRepeatable(node);
        return y;
    }

    private sealed class LayerNormNode(Tensor output, Tensor x, Weight weight, Weight? bias, float epsilon) : Node(output)
    {
        public override void Recompute(Tape tape) => tape.Engine.Team.Run(
            RowParts.Count(x.Rows),
            new ForwardJob(x.Rows, x.Columns, tape.Values(x), weight.Floats, bias is null ? null : bias.Floats, Output.Data, epsilon));

        public override void Backward(Tape tape)
        {
            var parts = RowParts.Count(x.Rows);
            var dx = x.RequiresGradient ? tape.ZeroedGradient(x) : null;
            var dw = weight.Trainable ? tape.Rent((long)parts * x.Columns) : null;
            tape.Engine.Team.Run(parts, new BackwardJob(x.Rows, x.Columns, tape.Values(x), weight.Floats, Output.Gradient, dx, dw, epsilon));
            if (dw != null)
            {
                RowParts.SumInto(weight.Gradient!.Data, dw, parts, x.Columns);
                tape.Return(dw);
            }

            if (bias is { Trainable: true })
            {
                RowParts.SumInto(bias.Gradient!.Data, Output.Gradient, x.Rows, x.Columns);
            }
        }
    }

    /// <summary>normalised = (x - mean) / sqrt(var + eps); returns the divisor's inverse.</summary>
    private static float Normalise(float* x, float* normalised, int width, float epsilon)
    {
        var to = new Span<float>(normalised, width);
        TensorPrimitives.Subtract(new ReadOnlySpan<float>(x, width), Kernels.Rows.Sum(x, width) / width, to);
        var inverse = 1 / MathF.Sqrt(Kernels.Rows.Dot(normalised, normalised, width) / width + epsilon);
        TensorPrimitives.Multiply(to, inverse, to);
        return inverse;
    }

    private readonly struct ForwardJob(int rows, int width, float* x, float* w, float* b, float* y, float epsilon) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                var to = new Span<float>(y + (long)r * width, width);
                Normalise(x + (long)r * width, y + (long)r * width, width, epsilon);
                TensorPrimitives.Multiply(to, new ReadOnlySpan<float>(w, width), to);
                if (b != null)
                {
                    TensorPrimitives.Add(to, new ReadOnlySpan<float>(b, width), to);
                }
            }
        }
    }

    private readonly struct BackwardJob(int rows, int width, float* x, float* w, float* dy, float* dx, float* dw, float epsilon) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var normalised = scratch.Floats(2L * width);
            var scaled = normalised + width; // w * dy
            var partial = new Span<float>(dw + (long)part * width, dw == null ? 0 : width);
            partial.Clear();
            foreach (var r in RowParts.Rows(part, rows))
            {
                var gradient = new ReadOnlySpan<float>(dy + (long)r * width, width);
                var inverse = Normalise(x + (long)r * width, normalised, width, epsilon);
                if (dw != null)
                {
                    TensorPrimitives.MultiplyAdd(gradient, new ReadOnlySpan<float>(normalised, width), partial, partial);
                }

                if (dx != null)
                {
                    // dx = inverse * (w dy - mean(w dy) - x̂ * mean(w dy x̂))
                    var work = new Span<float>(scaled, width);
                    TensorPrimitives.Multiply(gradient, new ReadOnlySpan<float>(w, width), work);
                    var along = Kernels.Rows.Dot(scaled, normalised, width) / width;
                    TensorPrimitives.Subtract(work, Kernels.Rows.Sum(scaled, width) / width, work);
                    Kernels.Rows.AddScaled(-along, normalised, scaled, width);
                    Kernels.Rows.AddScaled(inverse, scaled, dx + (long)r * width, width);
                }
            }
        }
    }
}
