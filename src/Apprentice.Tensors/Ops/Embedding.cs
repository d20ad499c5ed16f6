using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>Looks rows of a table up by id. The gradient adds up over repeated ids.</summary>
public static unsafe class Embedding
{
    /// <param name="table">[vocabulary, width], any stored type.</param>
    /// <param name="ids">Row numbers.</param>
    /// <param name="paddingId">A row that gets no gradient, or null.</param>
    /// <returns>[ids, width].</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not a row of the table.</exception>
    public static Tensor Apply(Tape tape, Weight table, int[] ids, int? paddingId = null)
    {
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)table.Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"{table.Name} has rows 0..{table.Rows - 1}");
            }
        }

        var output = tape.New(ids.Length, table.Columns, table.Trainable);
        for (var i = 0; i < ids.Length; i++)
        {
            table.CopyRows(ids[i], 1, output.Data + (long)i * table.Columns);
        }

        tape.Record(new EmbeddingNode(output, table, ids, paddingId));
        return output;
    }

    private sealed class EmbeddingNode(Tensor output, Weight table, int[] ids, int? paddingId) : Node(output)
    {
        public override void Backward(Tape tape)
        {
            for (var i = 0; i < ids.Length; i++)
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
        }
    }
}
