using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>[rows, a + b + …] to [rows, a], [rows, b], …: what one fused linear layer gives, taken apart.</summary>
public static unsafe class SplitColumns
{
    /// <param name="x">Its values are given up: they must not be needed by anything else.</param>
    /// <param name="widths">Columns of each part; all of them together are those of x.</param>
    public static Tensor[] Apply(Tape tape, Tensor x, params int[] widths)
    {
        if (widths.Sum() != x.Columns)
        {
            throw new ArgumentException($"parts of {string.Join(", ", widths)} columns; there are {x.Columns}", nameof(widths));
        }

        var parts = new Tensor[widths.Length];
        var first = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = tape.New(x.Rows, widths[i], x.RequiresGradient);
            tape.Engine.Team.Run(RowParts.Count(x.Rows), new CopyJob(x.Rows, widths[i], tape.Values(x) + first, x.Columns, parts[i].Data));
            tape.Record(new PartNode(parts[i], x, first));
            first += widths[i];
        }

        tape.FreeValues(x);
        return parts;
    }

    private sealed class PartNode(Tensor output, Tensor x, int first) : Node(output)
    {
        public override void Backward(Tape tape) => tape.Engine.Team.Run(
            RowParts.Count(x.Rows), new AddJob(x.Rows, Output.Columns, Output.Gradient, tape.ZeroedGradient(x) + first, x.Columns));
    }

    private readonly struct CopyJob(int rows, int width, float* x, int stride, float* part) : IJob
    {
        public void Run(int number, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(number, rows))
            {
                new ReadOnlySpan<float>(x + (long)r * stride, width).CopyTo(new Span<float>(part + (long)r * width, width));
            }
        }
    }

    private readonly struct AddJob(int rows, int width, float* gradient, float* x, int stride) : IJob
    {
        public void Run(int number, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(number, rows))
            {
                Kernels.Rows.AddScaled(1, gradient + (long)r * width, x + (long)r * stride, width);
            }
        }
    }
}
