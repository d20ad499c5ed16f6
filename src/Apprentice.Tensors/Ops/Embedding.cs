using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// Looks rows of a table up by id, with a low-rank adapter in the same operation: E[id] + scale * B A[:, id]. The gradient
/// adds up over repeated ids.
/// </summary>
public static unsafe class Embedding
{
    /// <param name="table">[vocabulary, width], any stored type.</param>
    /// <param name="ids">Row numbers.</param>
    /// <param name="paddingId">A row that gets no gradient, or null.</param>
    /// <param name="lora">A [rank, vocabulary], B [width, rank], without dropout or magnitude; or null.</param>
    /// <returns>[ids, width].</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not a row of the table.</exception>
    public static Tensor Apply(Tape tape, Weight table, int[] ids, int? paddingId = null, LoraPair? lora = null)
    {
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)table.Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"{table.Name} has rows 0..{table.Rows - 1}");
            }
        }

        if (lora is not null && (lora.A.Columns != table.Rows || lora.B.Rows != table.Columns || lora.B.Columns != lora.Rank))
        {
            throw new ArgumentException(
                $"the adapter of {table.Name} is A [{lora.A.Rows}, {lora.A.Columns}], B [{lora.B.Rows}, {lora.B.Columns}]; the table is [{table.Rows}, {table.Columns}]", nameof(lora));
        }

        var output = tape.New(ids.Length, table.Columns, table.Trainable || lora is { Trainable: true });
        for (var i = 0; i < ids.Length; i++)
        {
            table.CopyRows(ids[i], 1, output.Data + (long)i * table.Columns);
        }

        var down = lora is null ? null : Down(tape, ids, lora);
        if (down is not null)
        {
            Gemm.Run(
                tape.Engine, ids.Length, table.Columns, lora!.Rank, down.Data, lora.Rank, 1, new Operand(lora.B, transposed: true), output.Data, table.Columns, accumulate: true);
        }

        tape.Record(new EmbeddingNode(output, table, ids, paddingId, lora, down));
        return output;
    }

    /// <summary>scale * A[:, id] for each id, [ids, rank].</summary>
    private static Tensor Down(Tape tape, int[] ids, LoraPair lora)
    {
        var down = tape.New(ids.Length, lora.Rank, requiresGradient: false);
        for (var i = 0; i < ids.Length; i++)
        {
            for (var k = 0; k < lora.Rank; k++)
            {
                down.Data[(long)i * lora.Rank + k] = lora.Scale * lora.A.Floats[(long)k * lora.A.Columns + ids[i]];
            }
        }

        return down;
    }

    private sealed class EmbeddingNode(Tensor output, Weight table, int[] ids, int? paddingId, LoraPair? lora, Tensor? down) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            for (var i = 0; i < ids.Length && table.Trainable; i++)
            {
                if (ids[i] != paddingId)
                {
                    Rows.AddScaled(
                        1,
                        Output.Gradient + (long)i * table.Columns,
                        table.Gradient!.Data + (long)ids[i] * table.Columns,
                        table.Columns);
                }
            }

            if (lora is { B.Trainable: true })
            {
                Gemm.Run(
                    tape.Engine, table.Columns, lora.Rank, ids.Length, Output.Gradient, 1, table.Columns, new Operand(down!.Data, lora.Rank, transposed: false),
                    lora.B.Gradient!.Data, lora.Rank, accumulate: true);
            }

            if (lora is { A.Trainable: true })
            {
                AddToA(tape, lora);
            }
        }

        /// <summary>dA[:, id] += scale * dy B, one id after the other.</summary>
        private void AddToA(Tape tape, LoraPair pair)
        {
            var dDown = tape.Rent((long)ids.Length * pair.Rank);
            Gemm.Run(
                tape.Engine, ids.Length, pair.Rank, table.Columns, Output.Gradient, table.Columns, 1, new Operand(pair.B, transposed: false), dDown, pair.Rank, accumulate: false);
            for (var i = 0; i < ids.Length; i++)
            {
                for (var k = 0; k < pair.Rank && ids[i] != paddingId; k++)
                {
                    pair.A.Gradient!.Data[(long)k * pair.A.Columns + ids[i]] += pair.Scale * dDown[(long)i * pair.Rank + k];
                }
            }

            tape.Return(dDown);
        }
    }
}
