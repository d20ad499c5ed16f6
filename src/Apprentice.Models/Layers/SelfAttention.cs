using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>
/// The attention of one layer: a norm, queries, keys and values, perhaps norms of queries and keys, their rotation, attention,
/// the output projection, perhaps another norm.
/// </summary>
/// <param name="Number">Of the layer, which is its place in the cache.</param>
/// <param name="Before">The norm of its input, or null.</param>
/// <param name="Inputs">Queries, keys and values.</param>
/// <param name="HeadWidth">Dimensions of one head.</param>
internal sealed record SelfAttention(int Number, Norm? Before, ParallelLinear Inputs, LinearLayer Output, AttentionRule Rule, int HeadWidth)
{
    public Norm? QueryNorm { get; init; }

    public Norm? KeyNorm { get; init; }

    /// <summary>The norm of what is added to the stream, or null.</summary>
    public Norm? After { get; init; }

    /// <param name="x">[rows, width]; kept.</param>
    /// <param name="angles">Of the rotation, or null where the layer has none.</param>
    /// <param name="wanted">Rows that go on from here, or null for all.</param>
    /// <returns>[rows, width], to be added to x, or to its wanted rows.</returns>
    public Tensor Apply(Tape tape, Tensor x, ForwardInput input, RotaryAngles? angles, int[]? wanted = null)
    {
        var normed = Before?.Invoke(tape, x, input) ?? x;
        var parts = Inputs.Apply(tape, normed, input);
        if (Before is not null)
        {
            tape.Forget(normed);
        }

        var q = Place(tape, QueryNorm?.Invoke(tape, parts[0], input) ?? parts[0], angles);
        var k = Place(tape, KeyNorm?.Invoke(tape, parts[1], input) ?? parts[1], angles);
        var attended = Attention.Apply(tape, q, k, parts[2], input.Segments, Rule, input.Cache?[Number]);
        input.Cache?.Store(Number, k, parts[2], input.CacheRows!);
        var output = Output.Apply(tape, wanted is null ? attended : RowPick.Apply(tape, attended, wanted), input);
        return After?.Invoke(tape, output, input) ?? output;
    }

    private Tensor Place(Tape tape, Tensor heads, RotaryAngles? angles) =>
        angles is null ? heads : RotaryEmbedding.Apply(tape, heads, angles, HeadWidth);
}
