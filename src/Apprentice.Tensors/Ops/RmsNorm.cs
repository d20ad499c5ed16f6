using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// y = w * x / sqrt(mean(x²) + eps), a row at a time (Zhang and Sennrich 2019). A weight narrower than the row normalises
/// each head by itself.
/// </summary>
public static unsafe class RmsNorm
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <param name="weight">[width] or [head width], F32.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="weightOffset">Added to each weight: 1 for Gemma, which stores w - 1.</param>
    public static Tensor Apply(Tape tape, Tensor x, Weight weight, float epsilon, float weightOffset = 0)
    {
        if (x.Columns % weight.Count != 0)
        {
            throw new ArgumentException($"{weight.Name} has {weight.Count} elements; rows of {x.Columns} are to be normalised", nameof(weight));
        }

        var y = tape.New(x.Rows, x.Columns, x.RequiresGradient || weight.Trainable);
        var node = new RmsNormNode(y, x, weight, epsilon, weightOffset);
        node.Recompute(tape);
        tape.RecordRepeatable(node);
        return y;
    }

    private sealed class RmsNormNode(Tensor output, Tensor x, Weight weight, float epsilon, float offset) : Node(output)
    {
        private readonly int _width = weight.Columns;
        private readonly int _rows = checked((int)(x.Count / weight.Columns));

        public override void Recompute(Tape tape) =>
            tape.Engine.Team.Run(RowParts.Count(_rows), new ForwardJob(_rows, _width, tape.Values(x), weight.Floats, Output.Data, epsilon, offset));

        public override void Backward(Tape tape)
        {
            var parts = RowParts.Count(_rows);
            var dx = x.RequiresGradient ? tape.ZeroedGradient(x) : null;
            var dw = weight.Trainable ? tape.Rent((long)parts * _width) : null;
            tape.Engine.Team.Run(parts, new BackwardJob(_rows, _width, tape.Values(x), weight.Floats, Output.Gradient, dx, dw, epsilon, offset));
            if (dw != null)
            {
                RowParts.SumInto(weight.Gradient!.Data, dw, parts, _width);
                tape.Return(dw);
            }
        }
    }

    private static float InverseRms(float* row, int width, float epsilon) =>
        1 / MathF.Sqrt(Kernels.Rows.Dot(row, row, width) / width + epsilon);

    private readonly struct ForwardJob(int rows, int width, float* x, float* w, float* y, float epsilon, float offset) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var weight = RowParts.Shifted(w, offset, width, scratch);
            foreach (var r in RowParts.Rows(part, rows))
            {
                var from = x + (long)r * width;
                var to = new Span<float>(y + (long)r * width, width);
                TensorPrimitives.Multiply(new ReadOnlySpan<float>(from, width), InverseRms(from, width, epsilon), to);
                TensorPrimitives.Multiply(to, new ReadOnlySpan<float>(weight, width), to);
            }
        }
    }

    private readonly struct BackwardJob(
        int rows, int width, float* x, float* w, float* dy, float* dx, float* dw, float epsilon, float offset) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var memory = scratch.Floats(2L * width);
            var weight = RowParts.Shifted(w, offset, width, memory);
            var scaled = memory + width; // w * dy, then reused for x̂ * dy
            var partial = dw == null ? null : dw + (long)part * width;
            if (partial != null)
            {
                new Span<float>(partial, width).Clear();
            }

            foreach (var r in RowParts.Rows(part, rows))
            {
                var row = x + (long)r * width;
                var gradient = new ReadOnlySpan<float>(dy + (long)r * width, width);
                var work = new Span<float>(scaled, width);
                var inverse = InverseRms(row, width, epsilon);
                if (dx != null)
                {
                    // dx = inverse * (w dy) - x * inverse³ / width * sum(w dy x)
                    TensorPrimitives.Multiply(gradient, new ReadOnlySpan<float>(weight, width), work);
                    var along = Kernels.Rows.Dot(scaled, row, width) * inverse * inverse * inverse / width;
                    Kernels.Rows.AddScaled(inverse, scaled, dx + (long)r * width, width);
                    Kernels.Rows.AddScaled(-along, row, dx + (long)r * width, width);
                }

                if (partial != null)
                {
                    TensorPrimitives.Multiply(gradient, new ReadOnlySpan<float>(row, width), work);
                    Kernels.Rows.AddScaled(inverse, scaled, partial, width);
                }
            }
        }
    }
}
