using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// The output projection and the log-softmax over the vocabulary in one operation: for each (source row, target token)
/// the log-probability. Goes through the vocabulary in chunks with a running maximum and sum (Milakov and Gimelshein
/// 2018), so no whole row of logits is ever there, and sums up sum(p_j W_j) on the way, which is all that the gradient
/// of the hidden rows needs.
/// </summary>
public static unsafe class TokenLogProbabilities
{
    /// <summary>Column of the result with log p(target).</summary>
    public const int LogProbability = 0;

    /// <summary>Column of the result with log(sum(exp(logits))), for the z-loss.</summary>
    public const int LogSumExp = 1;

    /// <summary>Column of the result with the mean over the vocabulary of log p, for label smoothing.</summary>
    public const int MeanLogProbability = 2;

    /// <summary>Rows and tokens of the vocabulary that are worked on together: at most 16 MB of logits.</summary>
    private const int ChunkRows = 2048;
    private const int ChunkTokens = 2048;

    /// <param name="hidden">[rows, width]; kept for backward.</param>
    /// <param name="head">[vocabulary, width], any stored type.</param>
    /// <param name="sources">Rows of hidden, one for each target; may repeat.</param>
    /// <param name="targets">Token ids.</param>
    /// <param name="softcap">Logits become cap * tanh(logit / cap) (Gemma 2); null: not.</param>
    /// <returns>[targets, 3]: see the column constants. Backward takes a gradient for each.</returns>
    public static Tensor Apply(Tape tape, Tensor hidden, Weight head, int[] sources, int[] targets, float? softcap = null)
    {
        if (sources.Length != targets.Length || head.Columns != hidden.Columns)
        {
            throw new ArgumentException($"{sources.Length} sources, {targets.Length} targets; hidden width {hidden.Columns}, head {head.Columns}", nameof(sources));
        }

        for (var i = 0; i < sources.Length; i++)
        {
            if ((uint)sources[i] >= (uint)hidden.Rows || (uint)targets[i] >= (uint)head.Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(targets), $"target {i}: row {sources[i]} of {hidden.Rows}, token {targets[i]} of {head.Rows}");
            }
        }

        if (softcap is null && KeptLogits.Pays(tape, head, targets.Length))
        {
            return KeptLogits.Apply(tape, hidden, head, sources, targets);
        }

        var output = tape.New(sources.Length, 3, hidden.RequiresGradient || head.Trainable);
        var expected = tape.Recording && hidden.RequiresGradient && softcap is null ? tape.New(sources.Length, head.Columns, requiresGradient: false) : null;
        var node = new HeadNode(output, hidden, head, sources, targets, expected, softcap);
        node.Forward(tape);
        tape.Record(node);
        return output;
    }

    /// <param name="expected">
    /// [targets, width]: the mean row of the head under each target's distribution; null where nothing is learned from it, or
    /// where a cap bends the logits and backward makes them again.
    /// </param>
    private sealed class HeadNode(Tensor output, Tensor hidden, Weight head, int[] sources, int[] targets, Tensor? expected, float? softcap) : Node(output)
    {
        private readonly int _width = head.Columns;
        private readonly Operand _logits = new(head, transposed: true);
        private readonly Operand _rows = new(head, transposed: false);

        public void Forward(Tape tape)
        {
            for (var first = 0; first < sources.Length; first += ChunkRows)
            {
                Forward(tape, first, Math.Min(ChunkRows, sources.Length - first));
            }
        }

        public override void Backward(Tape tape)
        {
            if (expected is not null)
            {
                AddHiddenGradient(tape);
                tape.FreeValues(expected);
            }

            var bent = expected is null && hidden.RequiresGradient;
            for (var first = 0; (bent || head.Trainable) && first < sources.Length; first += ChunkRows)
            {
                AddGradients(tape, first, Math.Min(ChunkRows, sources.Length - first), bent);
            }
        }

        private void Forward(Tape tape, int first, int count)
        {
            var rows = Gather(tape, first, count);
            var logits = tape.Rent((long)count * ChunkTokens);
            var softmax = tape.Rent((long)count * RunningSoftmax.Floats);
            var mean = expected is null ? null : expected.Data + (long)first * _width;
            for (var token = 0; token < head.Rows; token += ChunkTokens)
            {
                var tokens = Math.Min(ChunkTokens, head.Rows - token);
                LargeProduct.Run(tape.Engine, count, tokens, _width, rows, _width, _logits.FromRow(token), logits, tokens, accumulate: false);
                if (softcap is { } cap)
                {
                    tape.Engine.Team.Run(count, new CapJob(tokens, logits, cap));
                }

                tape.Engine.Team.Run(count, new RunningSoftmax.ChunkJob(token, tokens, first, targets, logits, softmax, mean, _width));
                if (mean != null)
                {
                    LargeProduct.Run(tape.Engine, count, _width, tokens, logits, tokens, _rows.FromRow(token), mean, _width, accumulate: token > 0);
                }
            }

            tape.Engine.Team.Run(count, new RunningSoftmax.ResultJob(head.Rows, first, softmax, Output.Data, mean, _width));
            tape.Return(softmax);
            tape.Return(logits);
            tape.Return(rows);
        }

        /// <summary>dh = g0 (W[target] - E) + g1 E + g2 (mean of W - E), where E is the expected row.</summary>
        private void AddHiddenGradient(Tape tape)
        {
            var gradient = tape.ZeroedGradient(hidden);
            var meanRow = MeanRow(tape);
            var row = tape.Rent(_width);
            for (var i = 0; i < sources.Length; i++)
            {
                var g = Output.Gradient + 3L * i;
                var to = gradient + (long)sources[i] * _width;
                head.CopyRows(targets[i], 1, row);
                Kernels.Rows.AddScaled(g[LogProbability], row, to, _width);
                Kernels.Rows.AddScaled(g[LogSumExp] - g[LogProbability] - g[MeanLogProbability], expected!.Data + (long)i * _width, to, _width);
                if (meanRow != null)
                {
                    Kernels.Rows.AddScaled(g[MeanLogProbability], meanRow, to, _width);
                }
            }

            tape.Return(row);
            if (meanRow != null)
            {
                tape.Return(meanRow);
            }
        }

        /// <summary>The mean over the vocabulary of the head's rows, or null where no target asks for it.</summary>
        private float* MeanRow(Tape tape)
        {
            var asked = false;
            for (var i = 0; i < sources.Length; i++)
            {
                asked |= Output.Gradient[3L * i + MeanLogProbability] != 0;
            }

            if (!asked)
            {
                return null;
            }

            var weights = tape.Rent(head.Rows);
            new Span<float>(weights, head.Rows).Fill(1f / head.Rows);
            var mean = tape.Rent(_width);
            Gemm.Run(tape.Engine, 1, _width, head.Rows, weights, head.Rows, 1, _rows, mean, _width, accumulate: false);
            tape.Return(weights);
            return mean;
        }

        /// <summary>dW += dLogitsᵀ h, and dh += dLogits W where that is wanted, with the logits made again chunk by chunk.</summary>
        private void AddGradients(Tape tape, int first, int count, bool toHidden)
        {
            var rows = Gather(tape, first, count);
            var logits = tape.Rent((long)count * ChunkTokens);
            var gradient = toHidden ? tape.Rent((long)count * _width) : null;
            for (var token = 0; token < head.Rows; token += ChunkTokens)
            {
                var tokens = Math.Min(ChunkTokens, head.Rows - token);
                LargeProduct.Run(tape.Engine, count, tokens, _width, rows, _width, _logits.FromRow(token), logits, tokens, accumulate: false);
                tape.Engine.Team.Run(count, new LogitGradientJob(head.Rows, token, tokens, first, targets, logits, Output.Data, Output.Gradient, softcap));
                if (head.Trainable)
                {
                    Gemm.Run(
                        tape.Engine, tokens, _width, count, logits, 1, tokens, new Operand(rows, _width, transposed: false), head.Gradient!.Data + (long)token * _width, _width, accumulate: true);
                }

                if (gradient != null)
                {
                    LargeProduct.Run(tape.Engine, count, _width, tokens, logits, tokens, _rows.FromRow(token), gradient, _width, accumulate: token > 0);
                }
            }

            if (gradient != null)
            {
                var to = tape.ZeroedGradient(hidden);
                for (var i = 0; i < count; i++)
                {
                    Kernels.Rows.AddScaled(1, gradient + (long)i * _width, to + (long)sources[first + i] * _width, _width);
                }

                tape.Return(gradient);
            }

            tape.Return(logits);
            tape.Return(rows);
        }

        /// <summary>The hidden rows of the targets, to be returned.</summary>
        private float* Gather(Tape tape, int first, int count)
        {
            var rows = tape.Rent((long)count * _width);
            var from = tape.Values(hidden);
            for (var i = 0; i < count; i++)
            {
                new ReadOnlySpan<float>(from + (long)sources[first + i] * _width, _width).CopyTo(new Span<float>(rows + (long)i * _width, _width));
            }

            return rows;
        }
    }

    /// <summary>Bends a row of a chunk of logits.</summary>
    private readonly struct CapJob(int tokens, float* logits, float cap) : IJob
    {
        public void Run(int part, Scratch scratch) => Softcap.Bend(new Span<float>(logits + (long)part * tokens, tokens), cap);
    }

    /// <summary>Turns a row of a chunk of logits into its gradient.</summary>
    private readonly struct LogitGradientJob(
        int vocabulary, int token, int tokens, int first, int[] targets, float* logits, float* output, float* gradient, float? softcap) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var row = new Span<float>(logits + (long)part * tokens, tokens);
            var slope = softcap is { } cap ? Slope(row, cap, new Span<float>(scratch.Floats(tokens), tokens)) : [];
            var g = gradient + (first + part) * 3L;

            // d/dlogit_j: g0 (1[j = t] - p_j) + g1 p_j + g2 (1/V - p_j)
            TensorPrimitives.Subtract(row, output[(first + part) * 3L + LogSumExp], row);
            Exponential.Exp(row, row);
            TensorPrimitives.Multiply(row, g[LogSumExp] - g[LogProbability] - g[MeanLogProbability], row);
            TensorPrimitives.Add(row, g[MeanLogProbability] / vocabulary, row);
            var target = targets[first + part] - token;
            if ((uint)target < (uint)tokens)
            {
                row[target] += g[LogProbability];
            }

            if (!slope.IsEmpty)
            {
                TensorPrimitives.Multiply(row, slope, row);
            }
        }

        /// <summary>Caps the row; gives 1 - tanh²(logit / cap).</summary>
        private static Span<float> Slope(Span<float> row, float cap, Span<float> slope)
        {
            Softcap.Bend(row, cap);
            TensorPrimitives.Multiply(row, 1 / cap, slope);
            TensorPrimitives.Multiply(slope, slope, slope);
            TensorPrimitives.Subtract(1f, slope, slope);
            return slope;
        }
    }
}
