using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x * gamma, one factor a column (Touvron et al. 2021).</summary>
public static unsafe class LayerScale
{
    /// <param name="x">[rows, width]; kept for backward.</param>
    /// <param name="gamma">[width], F32.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, Weight gamma)
    {
        if (gamma.Count != x.Columns)
        {
            throw new ArgumentException($"{gamma.Name} has {gamma.Count} elements; rows of {x.Columns} are to be scaled", nameof(gamma));
        }

        var y = tape.New(x.Rows, x.Columns, x.RequiresGradient || gamma.Trainable);
        var node = new LayerScaleNode(y, x, gamma);
        node.Recompute(tape);
        tape.RecordRepeatable(node);
        return y;
    }

    private sealed class LayerScaleNode(Tensor output, Tensor x, Weight gamma) : Node(output)
    {
        public override void Recompute(Tape tape) =>
            tape.Engine.Team.Run(RowParts.Count(x.Rows), new ForwardJob(x.Rows, x.Columns, tape.Values(x), gamma.Floats, Output.Data));

        public override void Backward(Tape tape)
        {
            var parts = RowParts.Count(x.Rows);
            var dx = x.RequiresGradient ? tape.ZeroedGradient(x) : null;
            var partials = gamma.Trainable ? tape.Rent((long)parts * x.Columns) : null;
            tape.Engine.Team.Run(parts, new BackwardJob(x.Rows, x.Columns, tape.Values(x), gamma.Floats, Output.Gradient, dx, partials));
            if (partials != null)
            {
                RowParts.SumInto(gamma.Gradient!.Data, partials, parts, x.Columns);
                tape.Return(partials);
            }
        }
    }

    private readonly struct ForwardJob(int rows, int width, float* x, float* gamma, float* y) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                var at = (long)r * width;
                TensorPrimitives.Multiply(new ReadOnlySpan<float>(x + at, width), new ReadOnlySpan<float>(gamma, width), new Span<float>(y + at, width));
            }
        }
    }

    private readonly struct BackwardJob(int rows, int width, float* x, float* gamma, float* dy, float* dx, float* partials) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var partial = new Span<float>(partials + (long)part * width, partials == null ? 0 : width);
            partial.Clear();
            foreach (var r in RowParts.Rows(part, rows))
            {
                var at = (long)r * width;
                var gradient = new ReadOnlySpan<float>(dy + at, width);
                if (dx != null)
                {
                    var to = new Span<float>(dx + at, width);
                    TensorPrimitives.MultiplyAdd(gradient, new ReadOnlySpan<float>(gamma, width), to, to);
                }

                if (partials != null)
                {
                    TensorPrimitives.MultiplyAdd(gradient, new ReadOnlySpan<float>(x + at, width), partial, partial);
                }
            }
        }
    }
}
