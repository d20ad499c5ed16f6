using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x Wᵀ (+ bias) (+ scale * x Aᵀ Bᵀ), with the low-rank adapter in the same operation; of DoRA, too.</summary>
public static unsafe class Linear
{
    /// <param name="x">[rows, in]; kept for backward.</param>
    /// <param name="weight">[out, in], any stored type; frozen or trainable.</param>
    /// <param name="bias">[out], F32.</param>
    /// <param name="lora">The adapter of this weight, or null.</param>
    /// <returns>[rows, out].</returns>
    public static Tensor Apply(Tape tape, Tensor x, Weight weight, Weight? bias = null, LoraPair? lora = null)
    {
        Check(x, weight, bias, lora);
        return lora?.Magnitude is { } magnitude
            ? magnitude.Apply(tape, Product(tape, x, weight, bias: null, lora), lora, bias)
            : Product(tape, x, weight, bias, lora);
    }

    private static Tensor Product(Tape tape, Tensor x, Weight weight, Weight? bias, LoraPair? lora)
    {
        var trained = weight.Trainable || bias is { Trainable: true } || lora is { A.Trainable: true } or { B.Trainable: true };
        var y = tape.New(x.Rows, weight.Rows, x.RequiresGradient || trained);
        var down = lora is null ? null : Down(tape, x, lora);
        var update = down is null ? default : new RankUpdate(lora!.Rank, down.Data, lora.Rank, 1, new Operand(lora.B, transposed: true));
        LargeProduct.Run(
            tape.Engine, x.Rows, weight.Rows, weight.Columns, tape.Values(x), x.Columns, new Operand(weight, transposed: true), y.Data, y.Columns, accumulate: false, update);
        if (bias is not null)
        {
            tape.Engine.Team.Run(RowParts.Count(y.Rows), new BiasJob(y.Rows, y.Columns, bias.Floats, y.Data));
        }

        tape.Record(new LinearNode(y, x, weight, bias, lora, down));
        return y;
    }

    /// <summary>scale * dropout(x) Aᵀ [rows, rank], which backward needs again.</summary>
    private static Tensor Down(Tape tape, Tensor x, LoraPair lora)
    {
        var down = tape.New(x.Rows, lora.Rank, requiresGradient: false);
        var input = Dropped(tape, x, lora);
        Gemm.Run(tape.Engine, x.Rows, lora.Rank, x.Columns, input, x.Columns, 1, new Operand(lora.A, transposed: true), down.Data, lora.Rank, accumulate: false);
        ReturnDropped(tape, lora, input);
        Scale(down.Data, down.Count, lora.Scale);
        return down;
    }

    private static float* Dropped(Tape tape, Tensor x, LoraPair lora)
    {
        var values = tape.Values(x);
        if (lora.Dropout is not { Probability: > 0 } dropout || !tape.Training)
        {
            return values;
        }

        var copy = tape.Rent(x.Count);
        dropout.Apply(tape.Engine, values, copy, x.Rows, x.Columns);
        return copy;
    }

    private static void ReturnDropped(Tape tape, LoraPair lora, float* input)
    {
        if (lora.Dropout is { Probability: > 0 } && tape.Training)
        {
            tape.Return(input);
        }
    }

    private static void Scale(float* values, long count, float scale)
    {
        var span = new Span<float>(values, checked((int)count));
        System.Numerics.Tensors.TensorPrimitives.Multiply(span, scale, span);
    }

    private static void Check(Tensor x, Weight weight, Weight? bias, LoraPair? lora)
    {
        if (weight.Columns != x.Columns)
        {
            throw new ArgumentException($"{weight.Name} is [{weight.Rows}, {weight.Columns}]; its input has {x.Columns} columns", nameof(x));
        }

        if (bias is not null && bias.Count != weight.Rows)
        {
            throw new ArgumentException($"{bias.Name} has {bias.Count} elements; {weight.Name} has {weight.Rows} rows", nameof(bias));
        }

        if (lora is not null && (lora.A.Columns != weight.Columns || lora.B.Rows != weight.Rows || lora.B.Columns != lora.A.Rows))
        {
            throw new ArgumentException(
                $"the adapter of {weight.Name} is A [{lora.A.Rows}, {lora.A.Columns}], B [{lora.B.Rows}, {lora.B.Columns}]; the weight is [{weight.Rows}, {weight.Columns}]",
                nameof(lora));
        }
    }

    private readonly struct BiasJob(int rows, int width, float* bias, float* y) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                Kernels.Rows.AddScaled(1, bias, y + (long)r * width, width);
            }
        }
    }

    private sealed class LinearNode(Tensor output, Tensor x, Weight weight, Weight? bias, LoraPair? lora, Tensor? down) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            var dy = Output.Gradient;
            var dDown = lora is null ? null : DownGradient(tape, dy, lora);
            if (x.RequiresGradient)
            {
                AddInputGradient(tape, dy, dDown);
            }

            if (weight.Trainable)
            {
                AddOuter(tape, dy, weight.Rows, tape.Values(x), x.Columns, weight.Gradient!);
            }

            if (bias is { Trainable: true })
            {
                RowParts.SumInto(bias.Gradient!.Data, dy, x.Rows, weight.Rows);
            }

            if (lora is not null)
            {
                AddLoraGradients(tape, dy, lora, dDown);
                tape.Return(dDown);
                tape.FreeValues(down!);
            }
        }

        /// <summary>scale * dy B [rows, rank].</summary>
        private float* DownGradient(Tape tape, float* dy, LoraPair pair)
        {
            var dDown = tape.Rent(down!.Count);
            Gemm.Run(tape.Engine, x.Rows, pair.Rank, weight.Rows, dy, weight.Rows, 1, new Operand(pair.B, transposed: false), dDown, pair.Rank, accumulate: false);
            Scale(dDown, down.Count, pair.Scale);
            return dDown;
        }

        /// <summary>dx += dy W + mask(dDown A).</summary>
        private void AddInputGradient(Tape tape, float* dy, float* dDown)
        {
            var dx = tape.OpenGradient(x, out var accumulate);
            var dropout = lora?.Dropout is { Probability: > 0 } mask ? mask : (DropoutMask?)null;
            var update = lora is null ? default : new RankUpdate(lora.Rank, dDown, lora.Rank, 1, new Operand(lora.A, transposed: false));
            LargeProduct.Run(
                tape.Engine, x.Rows, x.Columns, weight.Rows, dy, weight.Rows, new Operand(weight, transposed: false), dx, x.Columns, accumulate, dropout is null ? update : default);
            if (dropout is { } drop)
            {
                var masked = tape.Rent(x.Count);
                Gemm.Run(tape.Engine, x.Rows, x.Columns, update.Steps, update.A, update.ARow, update.AStep, update.B, masked, x.Columns, accumulate: false);
                drop.Apply(tape.Engine, masked, masked, x.Rows, x.Columns);
                Elementwise.Add(tape.Engine, masked, dx, x.Count);
                tape.Return(masked);
            }
        }

        /// <summary>dA += dDownᵀ dropout(x);  dB += dyᵀ down.</summary>
        private void AddLoraGradients(Tape tape, float* dy, LoraPair pair, float* dDown)
        {
            if (pair.B.Trainable)
            {
                AddOuter(tape, dy, weight.Rows, down!.Data, pair.Rank, pair.B.Gradient!);
            }

            if (pair.A.Trainable)
            {
                var input = Dropped(tape, x, pair);
                AddOuter(tape, dDown, pair.Rank, input, x.Columns, pair.A.Gradient!);
                ReturnDropped(tape, pair, input);
            }
        }

        /// <summary>gradient [left, right] += leftᵀ right over all rows.</summary>
        private void AddOuter(Tape tape, float* left, int leftColumns, float* right, int rightColumns, Tensor gradient) => Gemm.Run(
            tape.Engine, leftColumns, rightColumns, x.Rows, left, 1, leftColumns, new Operand(right, rightColumns, transposed: false), gradient.Data, rightColumns, accumulate: true);
    }
}
