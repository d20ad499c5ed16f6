using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// <see cref="TokenLogProbabilities"/> for a trained output projection that is small enough for its logits to be kept until
/// backward: three products instead of four, and each exponential once.
/// </summary>
internal sealed unsafe class KeptLogits : Node
{
    /// <summary>Most logits that are kept: 64 MB.</summary>
    private const long Most = 1 << 24;

    private readonly Tensor _hidden;
    private readonly Weight _head;
    private readonly int[] _sources;
    private readonly int[] _targets;
    private readonly Tensor _rows;
    private readonly Tensor _logits;
    private readonly Tensor _softmax;

    private KeptLogits(Tape tape, Tensor output, Tensor hidden, Weight head, int[] sources, int[] targets)
        : base(output)
    {
        (_hidden, _head, _sources, _targets) = (hidden, head, sources, targets);
        _rows = tape.New(sources.Length, head.Columns, requiresGradient: false);
        _logits = tape.New(sources.Length, head.Rows, requiresGradient: false);
        _softmax = tape.New(sources.Length, RunningSoftmax.Floats, requiresGradient: false);
    }

    public static bool Pays(Tape tape, Weight head, int targets) => tape.Recording && head.Trainable && targets > 0 && (long)targets * head.Rows <= Most;

    public static Tensor Apply(Tape tape, Tensor hidden, Weight head, int[] sources, int[] targets)
    {
        var node = new KeptLogits(tape, tape.New(sources.Length, 3, requiresGradient: true), hidden, head, sources, targets);
        node.Forward(tape);
        tape.Record(node);
        return node.Output;
    }

    private void Forward(Tape tape)
    {
        var (count, width, vocabulary) = (_sources.Length, _head.Columns, _head.Rows);
        tape.Engine.Team.Run(RowParts.Count(count), new GatherJob(count, width, _sources, tape.Values(_hidden), _rows.Data));
        Gemm.Run(tape.Engine, count, vocabulary, width, _rows.Data, width, 1, new Operand(_head, transposed: true), _logits.Data, vocabulary, accumulate: false);
        tape.Engine.Team.Run(count, new RunningSoftmax.ChunkJob(0, vocabulary, 0, _targets, _logits.Data, _softmax.Data, null, width));
        tape.Engine.Team.Run(count, new RunningSoftmax.ResultJob(vocabulary, 0, _softmax.Data, Output.Data, null, width));
    }

    public override void Backward(Tape tape)
    {
        var (count, width, vocabulary) = (_sources.Length, _head.Columns, _head.Rows);
        tape.Engine.Team.Run(count, new LogitGradientJob(vocabulary, _targets, _logits.Data, _softmax.Data, Output.Gradient));
        Gemm.Run(
            tape.Engine, vocabulary, width, count, _logits.Data, 1, vocabulary, new Operand(_rows.Data, width, transposed: false), _head.Gradient!.Data, width, accumulate: true);
        if (_hidden.RequiresGradient)
        {
            // The rows have done their work, and give their memory to the gradient that goes to where they came from.
            Gemm.Run(tape.Engine, count, width, vocabulary, _logits.Data, vocabulary, 1, new Operand(_head, transposed: false), _rows.Data, width, accumulate: false);
            var gradient = tape.ZeroedGradient(_hidden);
            for (var i = 0; i < count; i++)
            {
                Rows.AddScaled(1, _rows.Data + (long)i * width, gradient + (long)_sources[i] * width, width);
            }
        }

        tape.FreeValues(_rows);
        tape.FreeValues(_logits);
        tape.FreeValues(_softmax);
    }

    private readonly struct GatherJob(int count, int width, int[] sources, float* hidden, float* rows) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var i in RowParts.Rows(part, count))
            {
                new ReadOnlySpan<float>(hidden + (long)sources[i] * width, width).CopyTo(new Span<float>(rows + (long)i * width, width));
            }
        }
    }

    /// <summary>Turns a row of exp(logit - maximum) into the gradient of the logits.</summary>
    private readonly struct LogitGradientJob(int vocabulary, int[] targets, float* exponentials, float* softmax, float* gradient) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var row = new Span<float>(exponentials + (long)part * vocabulary, vocabulary);
            var g = gradient + part * 3L;

            // d/dlogit_j: g0 (1[j = t] - p_j) + g1 p_j + g2 (1/V - p_j)
            var (toTarget, toSum, toMean) = (g[TokenLogProbabilities.LogProbability], g[TokenLogProbabilities.LogSumExp], g[TokenLogProbabilities.MeanLogProbability]);
            TensorPrimitives.Multiply(row, (toSum - toTarget - toMean) / ((RunningSoftmax*)softmax)[part].ExpSum, row);
            if (toMean != 0)
            {
                TensorPrimitives.Add(row, toMean / vocabulary, row);
            }

            row[targets[part]] += toTarget;
        }
    }
}
