using System.Numerics;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>Which dimensions of a head rotate together.</summary>
public enum RotaryPairs
{
    /// <summary>Dimension i with i + d/2 (Llama and most others).</summary>
    Halves,

    /// <summary>Dimension 2i with 2i + 1 (GPT-J, Cohere).</summary>
    Neighbours,
}

/// <summary>Cosines and sines of one batch: row t belongs to position positions[t]. They live as long as the tape's tensors.</summary>
public sealed unsafe class RotaryAngles
{
    /// <param name="positions">One for each row that will be rotated.</param>
    /// <param name="inverseFrequencies">Radians a position, for each pair of dimensions.</param>
    /// <param name="amplitude">Multiplies cosine and sine (YaRN's and LongRoPE's attention factor).</param>
    public RotaryAngles(Tape tape, ReadOnlySpan<int> positions, double[] inverseFrequencies, double amplitude = 1)
    {
        Rows = positions.Length;
        Pairs = inverseFrequencies.Length;
        Cosines = tape.New(Rows, Pairs, requiresGradient: false).Data;
        Sines = tape.New(Rows, Pairs, requiresGradient: false).Data;
        for (var t = 0; t < positions.Length; t++)
        {
            for (var i = 0; i < Pairs; i++)
            {
                var (sin, cos) = Math.SinCos(positions[t] * inverseFrequencies[i]);
                Cosines[(long)t * Pairs + i] = (float)(cos * amplitude);
                Sines[(long)t * Pairs + i] = (float)(sin * amplitude);
            }
        }
    }

    /// <summary>Rows of the batch.</summary>
    public int Rows { get; }

    /// <summary>Pairs of dimensions that are rotated: half the rotary dimensions.</summary>
    public int Pairs { get; }

    internal float* Cosines { get; }

    internal float* Sines { get; }
}

/// <summary>Rotates pairs of dimensions of each head by an angle that grows with the position (Su et al. 2021).</summary>
public static unsafe class RotaryEmbedding
{
    /// <param name="x">[rows, heads * headWidth]; its memory is taken over for the result.</param>
    /// <param name="headWidth">Dimensions of one head; those past 2 * angles.Pairs stay as they are.</param>
    public static Tensor Apply(Tape tape, Tensor x, RotaryAngles angles, int headWidth, RotaryPairs pairs = RotaryPairs.Halves)
    {
        if (angles.Pairs * 2 > headWidth || x.Columns % headWidth != 0 || angles.Rows != x.Rows)
        {
            throw new ArgumentException($"{angles.Pairs} pairs for {angles.Rows} rows do not fit [{x.Rows}, {x.Columns}] with heads of {headWidth}", nameof(angles));
        }

        var y = tape.TakeOver(x, x.RequiresGradient);
        Rotate(tape, y.Data, y, angles, headWidth, pairs, 1);
        tape.Record(new RotaryNode(y, x, angles, headWidth, pairs));
        return y;
    }

    private static void Rotate(Tape tape, float* values, Tensor shape, RotaryAngles angles, int headWidth, RotaryPairs pairs, float direction) =>
        tape.Engine.Team.Run(RowParts.Count(shape.Rows), new RotateJob(shape.Rows, shape.Columns, headWidth, values, angles, pairs, direction));

    /// <summary>The gradient of a rotation is the rotation back.</summary>
    private sealed class RotaryNode(Tensor output, Tensor x, RotaryAngles angles, int headWidth, RotaryPairs pairs) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            Rotate(tape, Output.Gradient, Output, angles, headWidth, pairs, -1);
            tape.GiveGradient(x, Output.Gradient);
            Output.Gradient = null;
        }
    }

    private readonly struct RotateJob(int rows, int columns, int headWidth, float* values, RotaryAngles angles, RotaryPairs pairs, float direction) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                var cosines = angles.Cosines + (long)r * angles.Pairs;
                var sines = angles.Sines + (long)r * angles.Pairs;
                for (var head = values + (long)r * columns; head < values + (long)(r + 1) * columns; head += headWidth)
                {
                    RotateHead(head, cosines, sines);
                }
            }
        }

        private void RotateHead(float* head, float* cosines, float* sines)
        {
            var n = angles.Pairs;
            var (step, partner) = pairs == RotaryPairs.Halves ? (1, n) : (2, 1);
            var i = 0;
            for (; step == 1 && i <= n - Vector<float>.Count; i += Vector<float>.Count)
            {
                var (a, b) = (Vector.Load(head + i), Vector.Load(head + i + n));
                var (cos, sin) = (Vector.Load(cosines + i), Vector.Load(sines + i) * direction);
                (a * cos - b * sin).Store(head + i);
                (b * cos + a * sin).Store(head + i + n);
            }

            for (; i < n; i++)
            {
                var (a, b) = (head[i * step], head[i * step + partner]);
                var sin = sines[i] * direction;
                head[i * step] = a * cosines[i] - b * sin;
                head[i * step + partner] = b * cosines[i] + a * sin;
            }
        }
    }
}
