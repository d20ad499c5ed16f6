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
public abstract class LanguageModel(DecoderConfig config, WeightSource source) : IDisposable
{
    /// <summary>All weights under their Hugging Face names; tied ones once.</summary>
    public IReadOnlyDictionary<string, Weight> Weights => Parts.All;

    /// <summary>Where adapters can be attached: every linear layer but the output projection.</summary>
    public IReadOnlyList<LinearLayer> LinearLayers => Parts.LinearLayers;

    public DecoderConfig Config => config;

    public WeightSource Source => source;

    public int Layers => config.Layers;

    public int Vocabulary => config.Vocabulary;

    /// <summary>Tokens that the model was made for.</summary>
    public int ContextLength => config.ContextLength;

    /// <summary>Sequences within this length and longer ones do not go into one batch, nor their keys together.</summary>
    public int ShortContext => config.Rotary.ShortContext;

    /// <summary>Columns of the queries of all heads together.</summary>
    public int QueryWidth => config.QueryWidth;

    /// <summary>Columns of a cached key or value.</summary>
    public int KeyValueWidth => config.KeyValueWidth;

    /// <summary>The output projection [vocabulary, width].</summary>
    public abstract Weight Head { get; }

    /// <summary>Logits become cap * tanh(logit / cap); null: not.</summary>
    public virtual float? LogitSoftcap => null;

    /// <summary>
    /// Floats of activations that training keeps for each token when nothing is computed again: two residual streams, queries
    /// and attended values, keys and values, gate and up; norms and their product are made again.
    /// </summary>
    public virtual long KeptFloatsPerToken => Layers * (2L * config.Width + 2L * QueryWidth + 2L * KeyValueWidth + 2L * config.FeedForward);

    /// <summary>
    /// Floats for each token that one layer's backward pass has beside what is kept: gradients of gate and up and what is made
    /// from them again; of the stream, a norm, and around them.
    /// </summary>
    public long WorkingFloatsPerToken => 3L * config.FeedForward + 6L * config.Width;

    public long ParameterCount => Weights.Values.Sum(w => w.Count);

    /// <summary>What the model is built from.</summary>
    protected ModelWeights Parts { get; } = new(source);

    /// <summary>Ids to the hidden states after the final norm, [tokens, width].</summary>
    public abstract Tensor Forward(Tape tape, ForwardInput input);

    /// <summary>Logits [hidden rows, vocabulary]; for training use <see cref="LogProbabilities"/> instead.</summary>
    public Tensor Logits(Tape tape, Tensor hidden, LoraAdapter? adapter = null)
    {
        var logits = Linear.Apply(tape, hidden, HeadOf(adapter));
        return LogitSoftcap is { } cap ? Softcap.Apply(tape, logits, cap) : logits;
    }

    /// <summary>Of tokens that follow rows of the hidden states, [targets, 3]: see <see cref="TokenLogProbabilities"/>.</summary>
    public Tensor LogProbabilities(Tape tape, Tensor hidden, int[] sources, int[] targets, LoraAdapter? adapter = null) =>
        TokenLogProbabilities.Apply(tape, hidden, HeadOf(adapter), sources, targets, LogitSoftcap);

    /// <summary>The output projection with this adapter, which may hold one of its own.</summary>
    public Weight HeadOf(LoraAdapter? adapter) => adapter?.Head ?? Head;

    /// <summary>The module name and weight of the embedding of tokens [vocabulary, width].</summary>
    public (string Name, Weight Weight) TokenEmbedding
    {
        get
        {
            var (name, weight) = Weights.First(w => w.Value.Shape.Count == 2 && w.Value.Rows == Vocabulary);
            return (name[..name.LastIndexOf('.')], weight);
        }
    }

    /// <summary>Whether Hugging Face's files have a weight as [in, out].</summary>
    public bool IsTurned(string name) => Parts.IsTurned(name);

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
}
