using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// The output projection and the log-softmax over the vocabulary in one operation: for each (source row, target token)
/// the log-probability, without logits for any other row. Works in chunks of rows; a single chunk keeps its logits for
/// backward, several make them again.
/// </summary>
public static unsafe class TokenLogProbabilities
{
    /// <summary>Column of the result with log p(target).</summary>
    public const int LogProbability = 0;

    /// <summary>Column of the result with log(sum(exp(logits))), for the z-loss.</summary>
    public const int LogSumExp = 1;

    /// <summary>Column of the result with the mean over the vocabulary of log p, for label smoothing.</summary>
    public const int MeanLogProbability = 2;

    private const long ChunkBytes = 48L << 20;

    /// <param name="hidden">[rows, width]; kept for backward.</param>
    /// <param name="head">[vocabulary, width], any stored type.</param>
    /// <param name="sources">Rows of hidden, one for each target; may repeat.</param>
    /// <param name="targets">Token ids.</param>
    /// <returns>[targets, 3]: see the column constants. Backward takes a gradient for each.</returns>
    public static Tensor Apply(Tape tape, Tensor hidden, Weight head, int[] sources, int[] targets)
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

        var output = tape.New(sources.Length, 3, hidden.RequiresGradient || head.Trainable);
        var node = new HeadNode(output, hidden, head, sources, targets);
        node.Forward(tape);
        tape.Record(node);
        return output;
    }

    private sealed class HeadNode(Tensor output, Tensor hidden, Weight head, int[] sources, int[] targets) : Node(output)
    {
        private readonly int _chunk = (int)Math.Clamp(ChunkBytes / (sizeof(float) * (long)head.Rows), 16, Math.Max(16, sources.Length));
        private Tensor? _kept;

        public void Forward(Tape tape)
        {
            for (var first = 0; first < sources.Length; first += _chunk)
            {
                var count = Math.Min(_chunk, sources.Length - first);
                var logits = tape.New(count, head.Rows, requiresGradient: false);
                Project(tape, first, count, logits.Data);
                tape.Engine.Team.Run(count, new ForwardJob(head.Rows, first, logits.Data, targets, Output.Data));
                if (tape.Recording && Output.RequiresGradient && count == sources.Length)
                {
                    _kept = logits;
                }
                else
                {
                    tape.FreeValues(logits);
                }
            }
        }

        public override void Backward(Tape tape)
        {
            for (var first = 0; first < sources.Length; first += _chunk)
            {
                var count = Math.Min(_chunk, sources.Length - first);
                var logits = _kept ?? tape.New(count, head.Rows, requiresGradient: false);
                if (_kept is null)
                {
                    Project(tape, first, count, logits.Data);
                }

                tape.Engine.Team.Run(count, new BackwardJob(head.Rows, first, logits.Data, targets, Output.Data, Output.Gradient));
                var width = head.Columns;
                var rows = tape.Rent((long)count * width);
                if (head.Trainable)
                {
                    Gather(tape, first, count, rows);
                    Gemm.Run(tape.Engine, head.Rows, width, count, logits.Data, 1, head.Rows, new Operand(rows, width, transposed: false), head.Gradient!.Data, width, accumulate: true);
                }

                if (hidden.RequiresGradient)
                {
                    Gemm.Run(tape.Engine, count, width, head.Rows, logits.Data, head.Rows, 1, new Operand(head, transposed: false), rows, width, accumulate: false);
                    var gradient = tape.ZeroedGradient(hidden);
                    for (var i = 0; i < count; i++)
                    {
                        Kernels.Rows.AddScaled(1, rows + (long)i * width, gradient + (long)sources[first + i] * width, width);
                    }
                }

                tape.Return(rows);
                tape.FreeValues(logits);
            }
        }

        private void Project(Tape tape, int first, int count, float* logits)
        {
            var rows = tape.Rent((long)count * head.Columns);
            Gather(tape, first, count, rows);
            Gemm.Run(tape.Engine, count, head.Rows, head.Columns, rows, head.Columns, 1, new Operand(head, transposed: true), logits, head.Rows, accumulate: false);
            tape.Return(rows);
        }

        private void Gather(Tape tape, int first, int count, float* rows)
        {
            var width = head.Columns;
            var from = tape.Values(hidden);
            for (var i = 0; i < count; i++)
            {
                new ReadOnlySpan<float>(from + (long)sources[first + i] * width, width).CopyTo(new Span<float>(rows + (long)i * width, width));
            }
        }
    }

    private readonly struct ForwardJob(int vocabulary, int first, float* logits, int[] targets, float* output) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var row = logits + (long)part * vocabulary;
            var logSum = Kernels.Rows.LogSumExp(row, vocabulary, scratch.Floats(vocabulary), out var max);
            var to = output + (first + part) * 3L;
            to[LogProbability] = row[targets[first + part]] - max - logSum;
            to[LogSumExp] = max + logSum;
            to[MeanLogProbability] = Kernels.Rows.Sum(row, vocabulary) / vocabulary - max - logSum;
        }
    }

    /// <summary>Turns a row of logits into its gradient.</summary>
    private readonly struct BackwardJob(int vocabulary, int first, float* logits, int[] targets, float* output, float* gradient) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var row = new Span<float>(logits + (long)part * vocabulary, vocabulary);
            var g = gradient + (first + part) * 3L;
            var logSum = output[(first + part) * 3L + LogSumExp];

            // d/dlogit_j: g0 (1[j = t] - p_j) + g1 p_j + g2 (1/V - p_j)
            TensorPrimitives.Subtract(row, logSum, row);
            TensorPrimitives.Exp(row, row);
            TensorPrimitives.Multiply(row, g[LogSumExp] - g[LogProbability] - g[MeanLogProbability], row);
            if (g[MeanLogProbability] != 0)
            {
                TensorPrimitives.Add(row, g[MeanLogProbability] / vocabulary, row);
            }

            row[targets[first + part]] += g[LogProbability];
        }
    }
}
