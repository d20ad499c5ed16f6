using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>f(gate) * up: SwiGLU and GeGLU (Shazeer 2020).</summary>
public static unsafe class GatedActivation
{
    /// <param name="gate">[rows, width]; kept for backward.</param>
    /// <param name="up">[rows, width]; kept for backward.</param>
    public static Tensor Apply(Tape tape, Tensor gate, Tensor up, Activation activation)
    {
        if (gate.Rows != up.Rows || gate.Columns != up.Columns)
        {
            throw new ArgumentException($"gate [{gate.Rows}, {gate.Columns}], up [{up.Rows}, {up.Columns}]", nameof(up));
        }

        var y = tape.New(gate.Rows, gate.Columns, gate.RequiresGradient || up.RequiresGradient);
        var node = new GatedNode(y, gate, up, activation);
        node.Recompute(tape);
        tape.RecordRepeatable(node);
        return y;
    }

    private sealed class GatedNode(Tensor output, Tensor gate, Tensor up, Activation activation) : Node(output)
    {
        public override void Recompute(Tape tape) => tape.Engine.Team.Run(
            RowParts.Count(gate.Rows),
            new ForwardJob(gate.Rows, gate.Columns, tape.Values(gate), tape.Values(up), Output.Data, activation));

        public override void Backward(Tape tape)
        {
            var addToGate = false;
            var dGate = gate.RequiresGradient ? tape.OpenGradient(gate, out addToGate) : null;
            tape.Engine.Team.Run(RowParts.Count(gate.Rows), new BackwardJob(
                gate.Rows, gate.Columns, tape.Values(gate), tape.Values(up), Output.Gradient, dGate, addToGate, activation));
            if (up.RequiresGradient)
            {
                tape.GiveGradient(up, Output.Gradient);
                Output.Gradient = null;
            }
        }
    }

    private readonly struct ForwardJob(int rows, int width, float* gate, float* up, float* y, Activation activation) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var work = new Span<float>(scratch.Floats(width), width);
            foreach (var r in RowParts.Rows(part, rows))
            {
                var at = (long)r * width;
                var to = new Span<float>(y + at, width);
                Activations.Forward(activation, new ReadOnlySpan<float>(gate + at, width), to, work);
                TensorPrimitives.Multiply(to, new ReadOnlySpan<float>(up + at, width), to);
            }
        }
    }

    /// <summary>dGate (+)= f'(gate) * up * dy, and dy becomes dUp = f(gate) * dy.</summary>
    private readonly struct BackwardJob(int rows, int width, float* gate, float* up, float* dy, float* dGate, bool addToGate, Activation activation) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var memory = scratch.Floats(3L * width);
            var work = new Span<float>(memory, width);
            var value = new Span<float>(memory + width, width);
            var slope = new Span<float>(memory + 2 * width, width);
            foreach (var r in RowParts.Rows(part, rows))
            {
                var at = (long)r * width;
                var x = new ReadOnlySpan<float>(gate + at, width);
                var gradient = new Span<float>(dy + at, width);
                if (dGate != null)
                {
                    var to = new Span<float>(dGate + at, width);
                    Activations.ForwardAndSlope(activation, x, value, slope, work);
                    TensorPrimitives.Multiply(slope, new ReadOnlySpan<float>(up + at, width), slope);
                    if (addToGate)
                    {
                        TensorPrimitives.MultiplyAdd(slope, gradient, to, to);
                    }
                    else
                    {
                        TensorPrimitives.Multiply(slope, gradient, to);
                    }
                }
                else
                {
                    Activations.Forward(activation, x, value, work);
                }

                TensorPrimitives.Multiply(gradient, value, gradient);
            }
        }
    }
}
