using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x * kept / (1 - p) while training, x itself otherwise (Srivastava et al. 2014).</summary>
public static unsafe class Dropout
{
    /// <param name="x">[rows, width].</param>
    /// <param name="mask">Which entries are kept; made again in backward, never stored.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, DropoutMask mask) => tape.Training && mask.Probability > 0
        ? RowOperation.Apply(tape, x, x.Columns, new Drawn(mask))
        : x;

    /// <param name="x">[rows, width].</param>
    /// <param name="kept">[rows, width]: 1 where an entry is kept, 0 where not; kept for backward.</param>
    /// <param name="probability">With which entries were dropped.</param>
    /// <returns>[rows, width].</returns>
    public static Tensor Apply(Tape tape, Tensor x, Tensor kept, float probability)
    {
        if (kept.Rows != x.Rows || kept.Columns != x.Columns)
        {
            throw new ArgumentException($"a mask of [{kept.Rows}, {kept.Columns}] for [{x.Rows}, {x.Columns}]", nameof(kept));
        }

        return tape.Training ? RowOperation.Apply(tape, x, x.Columns, new Given(tape.Values(kept), 1 / (1 - probability))) : x;
    }

    private readonly struct Drawn(DropoutMask mask) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            var to = new Span<float>(y, width);
            new ReadOnlySpan<float>(x, width).CopyTo(to);
            mask.Apply(to, (long)row * width);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work) => Forward(row, dy, dx, width, work);
    }

    private readonly struct Given(float* kept, float scale) : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            var to = new Span<float>(y, width);
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(x, width), new ReadOnlySpan<float>(kept + (long)row * width, width), to);
            TensorPrimitives.Multiply(to, scale, to);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work) => Forward(row, dy, dx, width, work);
    }
}
