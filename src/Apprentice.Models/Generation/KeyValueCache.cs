using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Generation;

/// <summary>Keys and values of tokens already computed: for each layer one row a token, in rows that the caller assigns.</summary>
public sealed class KeyValueCache
{
    private readonly CachedKeys[] _layers;

    /// <param name="layers">Layers of the model.</param>
    /// <param name="rows">Tokens that fit, over all sequences.</param>
    /// <param name="width">Key-value heads times head width.</param>
    public KeyValueCache(int layers, int rows, int width)
    {
        Rows = rows;
        _layers = [.. Enumerable.Range(0, layers).Select(_ => new CachedKeys(Tensor.Uninitialized(rows, width), Tensor.Uninitialized(rows, width)))];
    }

    public int Rows { get; }

    public CachedKeys this[int layer] => _layers[layer];

    /// <summary>Takes over the first rows of a smaller one.</summary>
    public void CopyFrom(KeyValueCache? other, int rows)
    {
        for (var layer = 0; layer < _layers.Length && rows > 0; layer++)
        {
            _layers[layer].Keys.CopyFirstRows(other![layer].Keys, rows);
            _layers[layer].Values.CopyFirstRows(other[layer].Values, rows);
        }
    }

    /// <summary>Keeps the keys and values of a batch: its row r becomes row rows[r].</summary>
    public void Store(int layer, Tensor keys, Tensor values, int[] rows)
    {
        _layers[layer].Keys.CopyRowsFrom(keys, rows);
        _layers[layer].Values.CopyRowsFrom(values, rows);
    }
}
