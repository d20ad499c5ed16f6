using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Models.Export;

/// <summary>
/// A model's weights as an artifact holds them: the rows of the base, widened where they are quantised, with what the adapter
/// changes worked in. The base stays as it is. Whatever else an adapter may change, it comes into an artifact here.
/// </summary>
internal static class MergedWeights
{
    /// <summary>One row.</summary>
    /// <param name="name">The weight's name in the model.</param>
    /// <param name="destination">[columns].</param>
    public static void CopyRow(LoadedModel model, string name, Weight weight, int row, float[] destination)
    {
        if (model.Adapter is { } adapter)
        {
            adapter.CopyMergedRow(name, weight, row, destination);
        }
        else
        {
            weight.CopyRow(row, destination);
        }
    }

    /// <exception cref="InputException">The adapter makes two of a table that the model has once; nothing was written.</exception>
    public static void Check(LoadedModel model)
    {
        var (module, table) = model.Model.TokenEmbedding;
        if (model.Adapter is { } adapter && model.Model.Head == table && (adapter.Head is not null || adapter.ForEmbedding(table) is not null || adapter.Replacement(table) is not null))
        {
            throw new InputException(
                "not_exportable", $"the model uses '{module}' as its output projection, too, and the adapter changes one of the two", model.Reference.Adapter, hint: "keep the adapter apart: --format peft");
        }
    }

    /// <summary>All elements, for a writer that asks for them in pieces.</summary>
    public static FillFloats Elements(LoadedModel model, string name, Weight weight)
    {
        var row = new float[weight.Columns];
        return (start, destination) =>
        {
            for (var done = 0; done < destination.Length;)
            {
                var (r, column) = Math.DivRem(start + done, weight.Columns);
                CopyRow(model, name, weight, (int)r, row);
                var count = Math.Min(weight.Columns - (int)column, destination.Length - done);
                row.AsSpan((int)column, count).CopyTo(destination[done..]);
                done += count;
            }
        };
    }
}
