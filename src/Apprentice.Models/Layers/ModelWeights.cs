using Apprentice.Models.Architectures;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Layers;

/// <summary>
/// What a model is built from: takes each weight from the source by its Hugging Face name and shape, and keeps a list of what
/// was taken. It does not know how the parts are put together.
/// </summary>
public sealed class ModelWeights(WeightSource source)
{
    private readonly Dictionary<string, Weight> _all = [];
    private readonly List<LinearLayer> _linearLayers = [];
    private readonly HashSet<string> _turned = [];

    /// <summary>All weights under their Hugging Face names, in the order in which they were taken.</summary>
    public IReadOnlyDictionary<string, Weight> All => _all;

    /// <summary>Where adapters can be attached.</summary>
    public IReadOnlyList<LinearLayer> LinearLayers => _linearLayers;

    /// <summary>Whether Hugging Face's files have the weight the other way round, [columns, rows].</summary>
    public bool IsTurned(string name) => _turned.Contains(name);

    /// <summary>A weight as it is stored.</summary>
    public Weight Take(string name, params long[] shape)
    {
        var weight = source.Get(name, shape);
        _all.Add(name, weight);
        return weight;
    }

    /// <summary>A norm's weight or a bias, widened: the operations want these in F32.</summary>
    public Weight TakeVector(string name, long length)
    {
        var weight = source.Get(name, length);
        weight = weight.Type == StorageType.F32 ? weight : weight.Widened(trainable: false);
        _all.Add(name, weight);
        return weight;
    }

    /// <summary>A linear layer [out, in], with a bias where it has one.</summary>
    public LinearLayer TakeLinear(string name, long outFeatures, long inFeatures, bool bias) =>
        Add(new LinearLayer(name, Take($"{name}.weight", outFeatures, inFeatures), Bias(name, outFeatures, bias)));

    /// <summary>A linear layer with a bias whose weight Hugging Face's files have as [in, out] (GPT-2); here it is [out, in] like all.</summary>
    public LinearLayer TakeConv1D(string name, long outFeatures, long inFeatures)
    {
        var weight = source.GetTurned($"{name}.weight", outFeatures, inFeatures);
        _all.Add(weight.Name, weight);
        _turned.Add(weight.Name);
        return Add(new LinearLayer(name, weight, Bias(name, outFeatures, bias: true)));
    }

    /// <summary>A norm by the root mean square.</summary>
    /// <param name="offset">Added to each weight: 1 for Gemma, which stores w - 1.</param>
    public Norm TakeRmsNorm(string name, long width, float epsilon, float offset = 0)
    {
        var weight = TakeVector($"{name}.weight", width);
        return (tape, x, input) => RmsNorm.Apply(tape, x, input.Of(weight), epsilon, offset);
    }

    /// <summary>A norm by mean and variance, with a bias.</summary>
    public Norm TakeLayerNorm(string name, long width, float epsilon)
    {
        var (weight, bias) = (TakeVector($"{name}.weight", width), TakeVector($"{name}.bias", width));
        return (tape, x, input) => LayerNorm.Apply(tape, x, input.Of(weight), input.Of(bias), epsilon);
    }

    /// <summary>Queries, keys and values, each with a weight of its own.</summary>
    internal ParallelLinear TakeQueryKeyValue(string attention, DecoderConfig config, bool bias) => ParallelLinear.Separate(
        TakeLinear($"{attention}.q_proj", config.QueryWidth, config.Width, bias),
        TakeLinear($"{attention}.k_proj", config.KeyValueWidth, config.Width, bias),
        TakeLinear($"{attention}.v_proj", config.KeyValueWidth, config.Width, bias));

    /// <summary>The two projections of a gated feed-forward network.</summary>
    internal ParallelLinear TakeGateAndUp(string network, DecoderConfig config, bool bias) => ParallelLinear.Separate(
        TakeLinear($"{network}.gate_proj", config.FeedForward, config.Width, bias),
        TakeLinear($"{network}.up_proj", config.FeedForward, config.Width, bias));

    private Weight? Bias(string name, long length, bool bias) => bias ? TakeVector($"{name}.bias", length) : null;

    private LinearLayer Add(LinearLayer layer)
    {
        _linearLayers.Add(layer);
        return layer;
    }
}
