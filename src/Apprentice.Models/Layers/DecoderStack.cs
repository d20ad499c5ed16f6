using Apprentice.Models.Architectures;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>One layer of a decoder: what is added to the stream, one after the other.</summary>
internal sealed record DecoderLayer(SelfAttention Attention, FeedForward FeedForward);

/// <summary>A decoder from token ids to normalised hidden states, and its output projection.</summary>
/// <param name="Embedding">[vocabulary, width].</param>
/// <param name="Norm">After the last layer.</param>
/// <param name="Head">The output projection [vocabulary, width].</param>
internal sealed record DecoderStack(Weight Embedding, DecoderLayer[] Layers, Norm Norm, Weight Head)
{
    /// <summary>Multiplies the embeddings.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Multiplies what each layer adds.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>Takes the weights by the names of Llama and its relatives.</summary>
    /// <param name="layer">Takes the layer of that number.</param>
    /// <param name="normOffset">Added to the weights of the last norm.</param>
    public static DecoderStack Take(ModelWeights weights, DecoderConfig config, Func<int, DecoderLayer> layer, float normOffset = 0)
    {
        var embedding = weights.Take("model.embed_tokens.weight", config.Vocabulary, config.Width);
        DecoderLayer[] layers = [.. Enumerable.Range(0, config.Layers).Select(layer)];
        var norm = weights.TakeRmsNorm("model.norm", config.Width, config.NormEpsilon, normOffset);
        return new(embedding, layers, norm, config.Tied ? embedding : weights.Take("lm_head.weight", config.Vocabulary, config.Width));
    }

    /// <summary>The token embeddings [tokens, width].</summary>
    public Tensor Embed(Tape tape, ForwardInput input) => Scaled(tape, input.Embed(tape, Embedding), EmbeddingScale);

    /// <summary>From ids to hidden states where every layer rotates alike.</summary>
    public Tensor Run(Tape tape, ForwardInput input, RotaryFrequencies rotary)
    {
        var angles = rotary.Angles(tape, input.Segments.Positions());
        return Run(tape, Embed(tape, input), input, _ => angles);
    }

    /// <param name="x">What goes into the first layer.</param>
    /// <param name="angles">Of each layer's rotation, or null where it has none.</param>
    /// <returns>The hidden states after the last norm, [tokens or those wanted, width].</returns>
    public Tensor Run(Tape tape, Tensor x, ForwardInput input, Func<int, RotaryAngles?> angles)
    {
        input.Observe?.Invoke(0, x);
        for (var i = 0; i < Layers.Length; i++)
        {
            var (layer, rotation) = (Layers[i], angles(i));
            var wanted = i + 1 == Layers.Length ? input.Wanted : null; // of the others, later tokens need keys and values alone
            x = tape.Block(x, (t, h) =>
            {
                var attended = layer.Attention.Apply(t, h, input, rotation, wanted);
                h = Residual.Add(t, wanted is null ? h : RowPick.Apply(t, h, wanted), Scaled(t, attended, ResidualScale));
                return Residual.Add(t, h, Scaled(t, layer.FeedForward.Apply(t, h, input), ResidualScale));
            });
            if (i + 1 < Layers.Length)
            {
                input.Observe?.Invoke(i + 1, x);
            }
        }

        x = Norm(tape, x, input);
        input.Observe?.Invoke(Layers.Length, x);
        return x;
    }

    private static Tensor Scaled(Tape tape, Tensor x, float factor) => factor == 1 ? x : Scale.Apply(tape, x, factor);
}
