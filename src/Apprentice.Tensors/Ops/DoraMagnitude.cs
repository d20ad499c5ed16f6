using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// DoRA's second half (Liu et al. 2024): y = m / n * h (+ bias), where h = x (W + scale B A)ᵀ and n is the length of each row
/// of W + scale B A. That matrix is never formed: n² = ||W||² + 2 scale B·(W Aᵀ) + scale² B (A Aᵀ) Bᵀ, row by row, with the
/// lengths of W's rows measured once, and the rest when A or B have changed. n carries no gradient. Dropout falls on the input
/// of A alone; PEFT drops that of W, too, so the two train alike without dropout only.
/// </summary>
public sealed unsafe class DoraMagnitude
{
    private readonly Weight _weight;
    private float[]? _squares; // of the lengths of W's rows, once something asks for them
    private readonly Tensor _norms;
    private (int A, int B) _measured = (-1, -1);

    /// <param name="vector">m [out], F32; where it is new, its values become the lengths of W's rows.</param>
    /// <param name="weight">W [out, in], frozen, any stored type.</param>
    /// <param name="isNew">Whether m begins here.</param>
    public DoraMagnitude(Weight vector, Weight weight, bool isNew = false)
    {
        ArgumentNullException.ThrowIfNull(vector);
        ArgumentNullException.ThrowIfNull(weight);
        if (vector.Count != weight.Rows || weight.Trainable)
        {
            throw new ArgumentException($"{vector.Name} has {vector.Count} elements; {weight.Name} has {weight.Rows} rows and is to be frozen", nameof(vector));
        }

        (Vector, _weight, _norms) = (vector, weight, Tensor.Persistent(1, weight.Rows));
        if (isNew)
        {
            _squares = Squares(weight);
            vector.SetValues(Array.ConvertAll(_squares, MathF.Sqrt));
        }
    }

    /// <summary>m [out].</summary>
    public Weight Vector { get; }

    /// <summary>Gives a row of W + scale B A its length m.</summary>
    internal void Stretch(int row, Span<float> values)
    {
        var square = 0.0;
        foreach (var value in values)
        {
            square += (double)value * value;
        }

        TensorPrimitives.Multiply(values, square > 0 ? (float)(Vector.Floats[row] / Math.Sqrt(square)) : 0, values);
    }

    /// <param name="h">[rows, out]: x (W + scale B A)ᵀ; kept for backward.</param>
    /// <param name="pair">A, B and scale.</param>
    /// <param name="bias">[out], or null.</param>
    /// <returns>[rows, out].</returns>
    internal Tensor Apply(Tape tape, Tensor h, LoraPair pair, Weight? bias)
    {
        var norms = Norms(tape.Engine, pair);
        var y = tape.New(h.Rows, h.Columns, h.RequiresGradient || Vector.Trainable || bias is { Trainable: true });
        var gains = Gains(tape, norms);
        tape.Engine.Team.Run(RowParts.Count(h.Rows), new ScaleJob(h.Rows, h.Columns, tape.Values(h), gains, bias is null ? null : bias.Floats, y.Data, add: false));
        tape.Return(gains);
        tape.Record(new MagnitudeNode(y, h, this, norms, bias));
        tape.Forget(h);
        return y;
    }

    /// <summary>m / n [out], to be returned; 0 for a row that has no length.</summary>
    private float* Gains(Tape tape, float* norms)
    {
        var gains = tape.Rent(Vector.Count);
        for (var j = 0; j < Vector.Count; j++)
        {
            gains[j] = norms[j] > 0 ? Vector.Floats[j] / norms[j] : 0;
        }

        return gains;
    }

    /// <summary>n [out], measured again where A or B have changed.</summary>
    private float* Norms(Engine engine, LoraPair pair)
    {
        lock (_norms)
        {
            var now = (pair.A.Version, pair.B.Version);
            if (_measured != now)
            {
                Measure(engine, pair);
                _measured = now;
            }

            return _norms.Data;
        }
    }

    private void Measure(Engine engine, LoraPair pair)
    {
        var (rank, width, rows) = (pair.Rank, _weight.Columns, _weight.Rows);
        var products = engine.Arena.Rent((long)rank * rows);
        var gram = engine.Arena.Rent((long)rank * rank);
        Gemm.Run(engine, rank, rows, width, pair.A.Floats, width, 1, new Operand(_weight, transposed: true), products, rows, accumulate: false);
        Gemm.Run(engine, rank, rank, width, pair.A.Floats, width, 1, new Operand(pair.A, transposed: true), gram, rank, accumulate: false);
        fixed (float* squares = _squares ??= Squares(_weight))
        {
            engine.Team.Run(RowParts.Count(rows), new NormJob(rows, rank, pair.Scale, squares, products, gram, pair.B.Floats, _norms.Data));
        }

        engine.Arena.Return(products);
        engine.Arena.Return(gram);
    }

    private static float[] Squares(Weight weight)
    {
        var squares = new float[weight.Rows];
        Parallel.For(0, RowParts.Count(weight.Rows), part =>
        {
            var row = new float[weight.Columns];
            fixed (float* values = row)
            {
                foreach (var r in RowParts.Rows(part, weight.Rows))
                {
                    weight.CopyRows(r, 1, values);
                    squares[r] = Rows.Dot(values, values, row.Length);
                }
            }
        });
        return squares;
    }

    private readonly struct NormJob(int rows, int rank, float scale, float* squares, float* products, float* gram, float* b, float* norms) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var j in RowParts.Rows(part, rows))
            {
                double square = squares[j];
                var row = b + (long)j * rank;
                for (var k = 0; k < rank; k++)
                {
                    var along = 2.0 * products[(long)k * rows + j];
                    for (var l = 0; l < rank; l++)
                    {
                        along += (double)scale * gram[k * rank + l] * row[l];
                    }

                    square += (double)scale * row[k] * along;
                }

                norms[j] = (float)Math.Sqrt(Math.Max(0, square));
            }
        }
    }

    /// <summary>to = from * gains (+ bias), or += that.</summary>
    private readonly struct ScaleJob(int rows, int width, float* from, float* gains, float* bias, float* to, bool add) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var factors = new ReadOnlySpan<float>(gains, width);
            foreach (var r in RowParts.Rows(part, rows))
            {
                var x = new ReadOnlySpan<float>(from + (long)r * width, width);
                var y = new Span<float>(to + (long)r * width, width);
                if (add)
                {
                    TensorPrimitives.MultiplyAdd(x, factors, y, y);
                    continue;
                }

                TensorPrimitives.Multiply(x, factors, y);
                if (bias != null)
                {
                    Rows.AddScaled(1, bias, to + (long)r * width, width);
                }
            }
        }
    }

    /// <summary>partials, one row of [width] for each part: the sum of dy * h over the part's rows.</summary>
    private readonly struct AlongJob(int rows, int width, float* dy, float* h, float* partials) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var sum = new Span<float>(partials + (long)part * width, width);
            sum.Clear();
            foreach (var r in RowParts.Rows(part, rows))
            {
                TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(dy + (long)r * width, width), new ReadOnlySpan<float>(h + (long)r * width, width), sum, sum);
            }
        }
    }

    private sealed class MagnitudeNode(Tensor output, Tensor h, DoraMagnitude magnitude, float* norms, Weight? bias) : Node(output)
    {
        /// <summary>dh += m / n * dy;  dm += sum(dy * h) / n;  dbias += sum(dy).</summary>
        public override void Backward(Tape tape)
        {
            var dy = Output.Gradient;
            var parts = RowParts.Count(h.Rows);
            if (magnitude.Vector.Trainable)
            {
                var partials = tape.Rent((long)parts * h.Columns);
                tape.Engine.Team.Run(parts, new AlongJob(h.Rows, h.Columns, dy, tape.Values(h), partials));
                for (var p = 1; p < parts; p++)
                {
                    Rows.AddScaled(1, partials + (long)p * h.Columns, partials, h.Columns);
                }

                var gradient = magnitude.Vector.Gradient!.Data;
                for (var j = 0; j < h.Columns; j++)
                {
                    gradient[j] += norms[j] > 0 ? partials[j] / norms[j] : 0;
                }

                tape.Return(partials);
            }

            if (bias is { Trainable: true })
            {
                RowParts.SumInto(bias.Gradient!.Data, dy, h.Rows, h.Columns);
            }

            if (h.RequiresGradient)
            {
                var gains = magnitude.Gains(tape, norms);
                tape.Engine.Team.Run(parts, new ScaleJob(h.Rows, h.Columns, dy, gains, null, tape.ZeroedGradient(h), add: true));
                tape.Return(gains);
            }
        }
    }
}
