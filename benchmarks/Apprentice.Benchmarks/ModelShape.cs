using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;

namespace Apprentice.Benchmarks;

/// <summary>The numbers of a model, as its public configuration says.</summary>
/// <param name="Biases">Whether queries, keys and values have biases.</param>
internal sealed record ModelShape(
    int Layers, int Width, int Heads, int KeyValueHeads, int HeadWidth, int FeedForward, int Vocabulary, bool Biases = false)
{
    /// <summary>A model of this shape before any training, without biases, its output projection tied to the embedding.</summary>
    public Llama Untrained() => new(
        new DecoderConfig(
            Vocabulary, Width, Layers, FeedForward, Heads, KeyValueHeads, HeadWidth, ContextLength: 8192, NormEpsilon: 1e-5f,
            new RotaryFrequencies(HeadWidth, 10_000), AttentionBias: false, FeedForwardBias: false, Tied: true),
        new UntrainedSource("", Layers, seed: 1));

    public static IReadOnlyDictionary<string, ModelShape> Known { get; } = new Dictionary<string, ModelShape>
    {
        ["built-in"] = new(6, 256, 4, 4, 64, 704, 4096),
        ["SmolLM2-135M"] = new(30, 576, 9, 3, 64, 1536, 49_152),
        ["SmolLM2-360M"] = new(32, 960, 15, 5, 64, 2560, 49_152),
        ["Qwen2.5-0.5B"] = new(24, 896, 14, 2, 64, 4864, 151_936, Biases: true),
        ["Llama-3.2-1B"] = new(16, 2048, 32, 8, 64, 8192, 128_256),
        ["Llama-3.2-3B"] = new(28, 3072, 24, 8, 128, 8192, 128_256),
    };

    /// <summary>A shape by its name, with numbers of it replaced.</summary>
    public static ModelShape From(Options options)
    {
        var name = options.Text("shape", "SmolLM2-135M");
        var shape = Known.TryGetValue(name, out var known)
            ? known
            : throw new ArgumentException($"'{name}': the shapes are {string.Join(", ", Known.Keys)}");
        var heads = options.Integer("heads", shape.Heads);
        return shape with
        {
            Layers = options.Integer("layers", shape.Layers),
            Width = options.Integer("width", shape.Width),
            Heads = heads,
            KeyValueHeads = options.Integer("key-value-heads", shape.KeyValueHeads),
            HeadWidth = options.Integer("head-width", shape.HeadWidth),
            FeedForward = options.Integer("feed-forward", shape.FeedForward),
            Vocabulary = options.Integer("vocabulary", shape.Vocabulary),
        };
    }
}
