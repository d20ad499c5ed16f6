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

/// <summary>Cosines and sines of one batch: row t belongs to position positions[t].</summary>
public sealed class RotaryAngles
{
    /// <param name="positions">One for each row that will be rotated.</param>
    /// <param name="inverseFrequencies">Radians a position, for each pair of dimensions.</param>
    /// <param name="amplitude">Multiplies cosine and sine (YaRN's and LongRoPE's attention factor).</param>
    public RotaryAngles(int[] positions, double[] inverseFrequencies, double amplitude = 1)
    {
        Pairs = inverseFrequencies.Length;
        Cosines = new float[positions.Length * Pairs];
        Sines = new float[positions.Length * Pairs];
        for (var t = 0; t < positions.Length; t++)
        {
            for (var i = 0; i < Pairs; i++)
            {
                var (sin, cos) = Math.SinCos(positions[t] * inverseFrequencies[i]);
                Cosines[t * Pairs + i] = (float)(cos * amplitude);
                Sines[t * Pairs + i] = (float)(sin * amplitude);
            }
        }
    }

    /// <summary>Pairs of dimensions that are rotated: half the rotary dimensions.</summary>
    public int Pairs { get; }

    internal float[] Cosines { get; }

    internal float[] Sines { get; }
}

/// <summary>Rotates pairs of dimensions of each head by an angle that grows with the position (Su et al. 2021).</summary>
public static unsafe class RotaryEmbedding
{
    /// <param name="x">[rows, heads * headWidth]; its memory is taken over for the result.</param>
    /// <param name="headWidth">Dimensions of one head; those past 2 * angles.Pairs stay as they are.</param>
    public static Tensor Apply(Tape tape, Tensor x, RotaryAngles angles, int headWidth, RotaryPairs pairs = RotaryPairs.Halves)
    {
        if (angles.Pairs * 2 > headWidth || x.Columns % headWidth != 0 || angles.Cosines.Length != x.Rows * angles.Pairs)
        {
            throw new ArgumentException($"{angles.Pairs} pairs for {angles.Cosines.Length / Math.Max(1, angles.Pairs)} rows do not fit [{x.Rows}, {x.Columns}] with heads of {headWidth}", nameof(angles));
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
            var n = angles.Pairs;
            var (step, partner) = pairs == RotaryPairs.Halves ? (1, n) : (2, 1);
            foreach (var r in RowParts.Rows(part, rows))
            {
                var cosines = angles.Cosines.AsSpan(r * n, n);
                var sines = angles.Sines.AsSpan(r * n, n);
                for (var head = values + (long)r * columns; head < values + (long)(r + 1) * columns; head += headWidth)
                {
                    for (var i = 0; i < n; i++)
                    {
                        var (a, b) = (head[i * step], head[i * step + partner]);
                        var sin = sines[i] * direction;
                        head[i * step] = a * cosines[i] - b * sin;
                        head[i * step + partner] = b * cosines[i] + a * sin;
                    }
                }
            }
        }
    }
}
