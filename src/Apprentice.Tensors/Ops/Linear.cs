using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>y = x Wᵀ (+ bias) (+ scale * x Aᵀ Bᵀ), with the low-rank adapter in the same operation.</summary>
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
        var trained = weight.Trainable || bias is { Trainable: true } || lora is { A.Trainable: true } or { B.Trainable: true };
        var y = tape.New(x.Rows, weight.Rows, x.RequiresGradient || trained);
        var values = tape.Values(x);
        Gemm.Run(tape.Engine, x.Rows, weight.Rows, weight.Columns, values, x.Columns, 1, new Operand(weight, transposed: true), y.Data, y.Columns, accumulate: false);
        if (bias is not null)
        {
            for (var r = 0; r < y.Rows; r++)
            {
                Kernels.Rows.AddScaled(1, bias.Floats, y.Data + (long)r * y.Columns, y.Columns);
            }
        }

        var down = lora is null ? null : AddLora(tape, x, y, lora);
        tape.Record(new LinearNode(y, x, weight, bias, lora, down));
        return y;
    }

    /// <summary>y += down Bᵀ with down = scale * dropout(x) Aᵀ [rows, rank], which backward needs again.</summary>
    private static Tensor AddLora(Tape tape, Tensor x, Tensor y, LoraPair lora)
    {
        var down = tape.New(x.Rows, lora.Rank, requiresGradient: false);
        var input = Dropped(tape, x, lora);
        Gemm.Run(tape.Engine, x.Rows, lora.Rank, x.Columns, input, x.Columns, 1, new Operand(lora.A, transposed: true), down.Data, lora.Rank, accumulate: false);
        ReturnDropped(tape, lora, input);
        Scale(down.Data, down.Count, lora.Scale);
        Gemm.Run(tape.Engine, x.Rows, y.Columns, lora.Rank, down.Data, lora.Rank, 1, new Operand(lora.B, transposed: true), y.Data, y.Columns, accumulate: true);
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

    private sealed class LinearNode(Tensor output, Tensor x, Weight weight, Weight? bias, LoraPair? lora, Tensor? down) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            var dy = Output.Gradient;
            if (x.RequiresGradient)
            {
                var dx = tape.OpenGradient(x, out var accumulate);
                Gemm.Run(tape.Engine, x.Rows, weight.Columns, weight.Rows, dy, weight.Rows, 1, new Operand(weight, transposed: false), dx, x.Columns, accumulate);
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
                LoraBackward(tape, dy, lora, down!);
                tape.FreeValues(down!);
            }
        }

        private void LoraBackward(Tape tape, float* dy, LoraPair lora, Tensor down)
        {
            // dDown = scale * dy B;  dA += dDownᵀ x;  dB += dyᵀ down;  dx += dDown A
            var dDown = tape.Rent(down.Count);
            Gemm.Run(tape.Engine, x.Rows, lora.Rank, weight.Rows, dy, weight.Rows, 1, new Operand(lora.B, transposed: false), dDown, lora.Rank, accumulate: false);
            Scale(dDown, down.Count, lora.Scale);
            if (lora.B.Trainable)
            {
                AddOuter(tape, dy, weight.Rows, down.Data, lora.Rank, lora.B.Gradient!);
            }

            if (lora.A.Trainable)
            {
                var input = Dropped(tape, x, lora);
                AddOuter(tape, dDown, lora.Rank, input, x.Columns, lora.A.Gradient!);
                ReturnDropped(tape, lora, input);
            }

            if (x.RequiresGradient)
            {
                AddInputGradient(tape, dDown, lora);
            }

            tape.Return(dDown);
        }

        private void AddInputGradient(Tape tape, float* dDown, LoraPair lora)
        {
            var a = new Operand(lora.A, transposed: false);
            if (lora.Dropout is not { Probability: > 0 } dropout)
            {
                Gemm.Run(tape.Engine, x.Rows, x.Columns, lora.Rank, dDown, lora.Rank, 1, a, x.Gradient, x.Columns, accumulate: true);
                return;
            }

            var masked = tape.Rent(x.Count);
            Gemm.Run(tape.Engine, x.Rows, x.Columns, lora.Rank, dDown, lora.Rank, 1, a, masked, x.Columns, accumulate: false);
            dropout.Apply(tape.Engine, masked, masked, x.Rows, x.Columns);
            Elementwise.Add(tape.Engine, masked, x.Gradient, x.Count);
            tape.Return(masked);
        }

        /// <summary>gradient [left, right] += leftᵀ right over all rows.</summary>
        private void AddOuter(Tape tape, float* left, int leftColumns, float* right, int rightColumns, Tensor gradient) => Gemm.Run(
            tape.Engine, leftColumns, rightColumns, x.Rows, left, 1, leftColumns, new Operand(right, rightColumns, transposed: false), gradient.Data, rightColumns, accumulate: true);
    }
}
