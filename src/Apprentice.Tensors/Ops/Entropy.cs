using Apprentice.Tensors.Autograd;

namespace Apprentice.Tensors.Ops;

/// <summary>H = -sum(p log p) with p = softmax(x), a row at a time, in nats. Entries of -inf count nothing.</summary>
public static unsafe class Entropy
{
    /// <param name="x">Logits [rows, width]; kept for backward.</param>
    /// <returns>[rows, 1].</returns>
    public static Tensor Apply(Tape tape, Tensor x) => RowOperation.Apply(tape, x, 1, default(Function));

    private readonly struct Function : IRowFunction
    {
        public void Forward(int row, float* x, float* y, int width, float* work)
        {
            LogSoftmax.Row(x, work, width, work + width);
            *y = Of(work, width);
        }

        public void Backward(int row, float* x, float* dy, float* dx, int width, float* work)
        {
            // dH/dx = -p (log p + H)
            LogSoftmax.Row(x, work, width, work + width);
            var entropy = Of(work, width);
            for (var i = 0; i < width; i++)
            {
                var p = MathF.Exp(work[i]);
                dx[i] = p > 0 ? -p * (work[i] + entropy) * *dy : 0;
            }
        }

        private static float Of(float* logProbabilities, int width)
        {
            var sum = 0.0;
            for (var i = 0; i < width; i++)
            {
                var p = MathF.Exp(logProbabilities[i]);
                sum -= p > 0 ? p * (double)logProbabilities[i] : 0;
            }

            return (float)sum;
        }
    }
}
