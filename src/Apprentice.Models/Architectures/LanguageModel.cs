using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Generation;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// A causal language model: immutable weights and a forward pass. An architecture is one file that derives from this
/// and reads like the model card.
/// </summary>
public abstract class LanguageModel(WeightSource source) : IDisposable
{
    private readonly Dictionary<string, Weight> _weights = [];
    private readonly List<LinearLayer> _linearLayers = [];

    /// <summary>All weights under their Hugging Face names; tied ones once.</summary>
    public IReadOnlyDictionary<string, Weight> Weights => _weights;

    /// <summary>Where adapters can be attached: every linear layer but the output projection.</summary>
    public IReadOnlyList<LinearLayer> LinearLayers => _linearLayers;

    public WeightSource Source => source;

    public abstract int Layers { get; }

    public abstract int Vocabulary { get; }

    /// <summary>Tokens that the model was made for.</summary>
    public abstract int ContextLength { get; }

    /// <summary>Columns of the queries of all heads together.</summary>
    public abstract int QueryWidth { get; }

    /// <summary>Columns of a cached key or value.</summary>
    public abstract int KeyValueWidth { get; }

    /// <summary>The output projection [vocabulary, width].</summary>
    public abstract Weight Head { get; }

    /// <summary>Floats of activations that training keeps for each token when nothing is computed again.</summary>
    public abstract long KeptFloatsPerToken { get; }

    /// <summary>Floats for each token that one layer's backward pass has beside what is kept.</summary>
    public abstract long WorkingFloatsPerToken { get; }

    public long ParameterCount => _weights.Values.Sum(w => w.Count);

    /// <summary>Ids to the hidden states after the final norm, [tokens, width].</summary>
    public abstract Tensor Forward(Tape tape, ForwardInput input);

    /// <summary>Logits [hidden rows, vocabulary]; for training use <see cref="TokenLogProbabilities"/> instead.</summary>
    public Tensor Logits(Tape tape, Tensor hidden, LoraAdapter? adapter = null) => Linear.Apply(tape, hidden, HeadOf(adapter));

    /// <summary>The output projection with this adapter, which may hold one of its own.</summary>
    public Weight HeadOf(LoraAdapter? adapter) => adapter?.Head ?? Head;

    /// <summary>The module name and weight of the embedding of tokens [vocabulary, width].</summary>
    public (string Name, Weight Weight) TokenEmbedding
    {
        get
        {
            var (name, weight) = _weights.First(w => w.Value.Shape.Count == 2 && w.Value.Rows == Vocabulary);
            return (name[..name.LastIndexOf('.')], weight);
        }
    }

    /// <summary>The <c>config.json</c> of a Hugging Face folder with these weights.</summary>
    /// <exception cref="NotSupportedException">It has a property that the format cannot express, which is named.</exception>
    public abstract JsonObject ToConfig();

    /// <summary>How a GGUF file says what it is and calls its weights.</summary>
    /// <exception cref="NotSupportedException">It has a property that the format cannot express, which is named.</exception>
    public abstract GgufArchitecture ToGguf();

    /// <summary>A cache for so many tokens.</summary>
    public KeyValueCache NewCache(int rows) => new(Layers, rows, KeyValueWidth);

    public void Dispose()
    {
        source.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes a weight from the source.</summary>
    protected Weight Take(string name, params long[] shape)
    {
        var weight = source.Get(name, shape);
        _weights.Add(name, weight);
        return weight;
    }

    /// <summary>Takes a norm's weight or a bias, widened: the operations want these in F32.</summary>
    protected Weight TakeVector(string name, long length)
    {
        var weight = source.Get(name, length);
        weight = weight.Type == StorageType.F32 ? weight : weight.Widened(trainable: false);
        _weights.Add(name, weight);
        return weight;
    }

    /// <summary>Takes a linear layer, with a bias where it has one.</summary>
    protected LinearLayer TakeLinear(string name, long outFeatures, long inFeatures, bool bias)
    {
        var layer = new LinearLayer(name, Take($"{name}.weight", outFeatures, inFeatures), bias ? TakeVector($"{name}.bias", outFeatures) : null);
        _linearLayers.Add(layer);
        return layer;
    }
}
