using Apprentice.Models.Generation;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>What a model's forward pass is given besides its immutable weights.</summary>
/// <param name="Ids">One a row of the batch.</param>
/// <param name="Segments">Which tokens see which.</param>
public sealed record ForwardInput(int[] Ids, Segments Segments)
{
    /// <summary>Low-rank changes to some weights, and copies of others, or null for the base model.</summary>
    public LoraAdapter? Adapter { get; init; }

    /// <summary>Dropout of the adapter's inputs while training: the mask of this step and micro-batch.</summary>
    public DropoutMask? Dropout { get; init; }

    /// <summary>Keys and values of earlier tokens, to which those of this batch are added.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>Rows of the cache that the tokens of this batch will take, one a token.</summary>
    public int[]? CacheRows { get; init; }

    /// <summary>Rows of the batch whose hidden states are wanted, or null for all: the last layer works out no others. Inference only.</summary>
    public int[]? Wanted { get; init; }

    /// <summary>Is shown the hidden states: 0 after the embedding, i after layer i, the last one after the final norm.</summary>
    public Action<int, Tensor>? Observe { get; init; }

    /// <summary>The weight to use: the adapter's own copy where it has one (a norm or bias that was trained beside it), else the base's.</summary>
    public Weight Of(Weight weight) => Adapter?.Replacement(weight) ?? weight;

    /// <summary>The tokens' rows of the table, [tokens, width], with what the adapter changes of it.</summary>
    public Tensor Embed(Tape tape, Weight table) => Embedding.Apply(tape, Of(table), Ids, lora: Adapter?.ForEmbedding(table));
}
