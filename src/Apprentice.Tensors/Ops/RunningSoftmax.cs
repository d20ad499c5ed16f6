using System.Numerics.Tensors;
using Apprentice.Tensors.Kernels;
using static Apprentice.Tensors.Ops.TokenLogProbabilities;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// What is known of one row of logits after some chunks of the vocabulary, as it lies in memory (Milakov and Gimelshein 2018).
/// </summary>
internal unsafe struct RunningSoftmax
{
    /// <summary>Size of this struct.</summary>
    public const int Floats = 4;

    public float Maximum;

    /// <summary>Of exp(logit - Maximum).</summary>
    public float ExpSum;

    public float LogitSum;

    /// <summary>The logit of the target, once its chunk has been seen.</summary>
    public float Target;

    /// <summary>Takes a row of a chunk of logits into account; leaves exp(logit - maximum) behind.</summary>
    public readonly struct ChunkJob(int token, int tokens, int first, int[] targets, float* logits, float* softmax, float* mean, int width) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var row = logits + (long)part * tokens;
            ref var known = ref ((RunningSoftmax*)softmax)[part];
            var maximum = TensorPrimitives.Max(new ReadOnlySpan<float>(row, tokens));
            if (token == 0)
            {
                known = new RunningSoftmax { Maximum = maximum };
            }
            else if (maximum > known.Maximum || float.IsNaN(maximum))
            {
                var shrink = MathF.Exp(known.Maximum - maximum);
                known.Maximum = maximum;
                known.ExpSum *= shrink;
                if (mean != null)
                {
                    var sum = new Span<float>(mean + (long)part * width, width);
                    TensorPrimitives.Multiply(sum, shrink, sum);
                }
            }

            var target = targets[first + part] - token;
            if ((uint)target < (uint)tokens)
            {
                known.Target = row[target];
            }

            known.LogitSum += Kernels.Rows.Sum(row, tokens);
            known.ExpSum += Kernels.Rows.ExpSum(row, tokens, known.Maximum);
        }
    }

    public readonly struct ResultJob(int vocabulary, int first, float* softmax, float* output, float* mean, int width) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var known = ((RunningSoftmax*)softmax)[part];
            var logSum = MathF.Log(known.ExpSum);
            var to = output + (first + part) * 3L;

            // One after the other: their sum has lost the digits that logit - maximum still has where logits are large.
            to[LogProbability] = known.Target - known.Maximum - logSum;
            to[LogSumExp] = known.Maximum + logSum;
            to[MeanLogProbability] = known.LogitSum / vocabulary - known.Maximum - logSum;
            if (mean != null)
            {
                var sum = new Span<float>(mean + (long)part * width, width);
                TensorPrimitives.Multiply(sum, 1 / known.ExpSum, sum);
            }
        }
    }
}
