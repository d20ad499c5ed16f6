using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// The mean over the real tokens of each sequence: y[s] = sum(mask * x) / sum(mask), mean pooling of embeddings (Reimers
/// and Gurevych 2019). A sequence without real tokens gives zeros and has no gradient.
/// </summary>
public static unsafe class MaskedMean
{
    /// <param name="x">[rows, width]: the sequences one after another.</param>
    /// <param name="lengths">Rows of each sequence, padding included.</param>
    /// <param name="mask">One a row: 1 for a real token, 0 for padding.</param>
    /// <returns>[sequences, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, int[] lengths, float[] mask)
    {
        if (lengths.Sum(l => (long)l) != x.Rows || mask.Length != x.Rows || lengths.Any(l => l < 0))
        {
            throw new ArgumentException($"sequences of {lengths.Sum(l => (long)l)} rows and a mask of {mask.Length} for {x.Rows} rows", nameof(lengths));
        }

        var y = tape.New(lengths.Length, x.Columns, x.RequiresGradient);
        tape.Engine.Team.Run(lengths.Length, new ForwardJob(x.Columns, Starts(lengths), mask, tape.Values(x), y.Data));
        tape.Record(new MaskedMeanNode(y, x, lengths, mask));
        return y;
    }

    private static int[] Starts(int[] lengths)
    {
        var starts = new int[lengths.Length + 1];
        for (var s = 0; s < lengths.Length; s++)
        {
            starts[s + 1] = starts[s] + lengths[s];
        }

        return starts;
    }

    private static float InverseTotal(float[] mask, int start, int end)
    {
        var total = 0.0;
        for (var r = start; r < end; r++)
        {
            total += mask[r];
        }

        return total > 0 ? (float)(1 / total) : 0;
    }

    private sealed class MaskedMeanNode(Tensor output, Tensor x, int[] lengths, float[] mask) : Node(output)
    {
        public override void Backward(Tape tape) => tape.Engine.Team.Run(
            lengths.Length, new BackwardJob(x.Columns, Starts(lengths), mask, Output.Gradient, tape.ZeroedGradient(x)));
    }

    private readonly struct ForwardJob(int width, int[] starts, float[] mask, float* x, float* y) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var inverse = InverseTotal(mask, starts[part], starts[part + 1]);
            var to = y + (long)part * width;
            new Span<float>(to, width).Clear();
            for (var r = starts[part]; r < starts[part + 1]; r++)
            {
                Kernels.Rows.AddScaled(mask[r] * inverse, x + (long)r * width, to, width);
            }
        }
    }

    private readonly struct BackwardJob(int width, int[] starts, float[] mask, float* dy, float* dx) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var inverse = InverseTotal(mask, starts[part], starts[part + 1]);
            for (var r = starts[part]; r < starts[part + 1]; r++)
            {
                Kernels.Rows.AddScaled(mask[r] * inverse, dy + (long)part * width, dx + (long)r * width, width);
            }
        }
    }
}
