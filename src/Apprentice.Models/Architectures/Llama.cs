using System.Text.Json.Nodes;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Models.Architectures;

/// <summary>
/// Llama: tokens are embedded; each layer adds attention and a gated feed-forward network, both on the RMS-normalised
/// stream; a last norm and the output projection follow. Positions enter by rotating queries and keys.
/// </summary>
public sealed class Llama : LanguageModel
{
    private readonly LlamaConfig _config;
    private readonly Weight _embedding;
    private readonly Layer[] _layers;
    private readonly Weight _norm;

    public Llama(LlamaConfig config, WeightSource source)
        : base(source)
    {
        _config = config;
        _embedding = Take("model.embed_tokens.weight", config.Vocabulary, config.Width);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(TakeLayer)];
        _norm = TakeVector("model.norm.weight", config.Width);
        Head = config.Tied ? _embedding : Take("lm_head.weight", config.Vocabulary, config.Width);
    }

    public LlamaConfig Config => _config;

    public override JsonObject ToConfig() => _config.ToJson();

    public override GgufArchitecture ToGguf() =>
        new(_config.ToGguf(), name => GgufNames.Translate(name, Names), name => InterleavedHeads(name, _config), _config.Rotary.Divisors);

    public override int Layers => _config.Layers;

    public override int Vocabulary => _config.Vocabulary;

    public override int ContextLength => _config.ContextLength;

    public override int QueryWidth => _config.Heads * _config.HeadWidth;

    public override int KeyValueWidth => _config.KeyValueHeads * _config.HeadWidth;

    public override Weight Head { get; }

    // Two residual streams, queries and attended values, keys and values, gate and up; norms and their product are made again.
    public override long KeptFloatsPerToken => Layers * (2L * _config.Width + 2L * QueryWidth + 2L * KeyValueWidth + 2L * _config.FeedForward);

    // Gradients of gate and up and what is made from them again; of the stream, a norm, and around them.
    public override long WorkingFloatsPerToken => 3L * _config.FeedForward + 6L * _config.Width;

    public override Tensor Forward(Tape tape, ForwardInput input)
    {
        var positions = input.Segments.Positions();
        var angles = new RotaryAngles(tape, positions, _config.Rotary.Inverse(positions.Max()), _config.Rotary.Amplitude);
        var rule = new AttentionRule(_config.Heads, _config.KeyValueHeads);
        var x = input.Embed(tape, _embedding);
        input.Observe?.Invoke(0, x);
        for (var i = 0; i < _layers.Length; i++)
        {
            var (number, layer) = (i, _layers[i]);
            x = tape.Block(x, (t, h) => FeedForward(t, Attend(t, h, layer, number, input, angles, rule), layer, input));
            if (i + 1 < _layers.Length)
            {
                input.Observe?.Invoke(i + 1, x);
            }
        }

        x = RmsNorm.Apply(tape, x, input.Of(_norm), _config.NormEpsilon);
        input.Observe?.Invoke(_layers.Length, x);
        return x;
    }

    private Tensor Attend(Tape tape, Tensor x, Layer layer, int number, ForwardInput input, RotaryAngles angles, AttentionRule rule)
    {
        var normed = RmsNorm.Apply(tape, x, input.Of(layer.InputNorm), _config.NormEpsilon);
        var q = RotaryEmbedding.Apply(tape, layer.Query.Apply(tape, normed, input), angles, _config.HeadWidth);
        var k = RotaryEmbedding.Apply(tape, layer.Key.Apply(tape, normed, input), angles, _config.HeadWidth);
        var v = layer.Value.Apply(tape, normed, input);
        tape.Forget(normed);
        var attended = Attention.Apply(tape, q, k, v, input.Segments, rule, input.Cache?[number]);
        input.Cache?.Store(number, k, v, input.CacheRows!);
        return Residual.Add(tape, x, layer.Output.Apply(tape, attended, input));
    }

    private Tensor FeedForward(Tape tape, Tensor x, Layer layer, ForwardInput input)
    {
        var normed = RmsNorm.Apply(tape, x, input.Of(layer.FeedForwardNorm), _config.NormEpsilon);
        var gate = layer.Gate.Apply(tape, normed, input);
        var up = layer.Up.Apply(tape, normed, input);
        tape.Forget(normed);
        var gated = GatedActivation.Apply(tape, gate, up, Activation.Silu);
        var down = layer.Down.Apply(tape, gated, input);
        tape.Forget(gated);
        return Residual.Add(tape, x, down);
    }

    private Layer TakeLayer(int i)
    {
        var at = $"model.layers.{i}";
        var (queries, keys) = (QueryWidth, KeyValueWidth);
        return new Layer(
            TakeVector($"{at}.input_layernorm.weight", _config.Width),
            TakeLinear($"{at}.self_attn.q_proj", queries, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.k_proj", keys, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.v_proj", keys, _config.Width, _config.AttentionBias),
            TakeLinear($"{at}.self_attn.o_proj", _config.Width, queries, _config.AttentionBias),
            TakeVector($"{at}.post_attention_layernorm.weight", _config.Width),
            TakeLinear($"{at}.mlp.gate_proj", _config.FeedForward, _config.Width, _config.FeedForwardBias),
            TakeLinear($"{at}.mlp.up_proj", _config.FeedForward, _config.Width, _config.FeedForwardBias),
            TakeLinear($"{at}.mlp.down_proj", _config.Width, _config.FeedForward, _config.FeedForwardBias));
    }

    private sealed record Layer(
        Weight InputNorm, LinearLayer Query, LinearLayer Key, LinearLayer Value, LinearLayer Output,
        Weight FeedForwardNorm, LinearLayer Gate, LinearLayer Up, LinearLayer Down);

    /// <summary>The weights of a GGUF file under their Hugging Face names.</summary>
    public static GgufSource FromGguf(GgufFile file, LlamaConfig config) => new(
        file,
        name => GgufNames.Translate(name, Names),
        name => InterleavedHeads(name, config));

    private static int? InterleavedHeads(string name, LlamaConfig config) =>
        name.Contains(".q_proj.", StringComparison.Ordinal) ? config.Heads
        : name.Contains(".k_proj.", StringComparison.Ordinal) ? config.KeyValueHeads
        : null;

    /// <summary>Hugging Face names (N: the layer) to those of llama.cpp.</summary>
    private static readonly Dictionary<string, string> Names = new()
    {
        ["model.embed_tokens"] = "token_embd",
        ["model.layers.N.input_layernorm"] = "blk.N.attn_norm",
        ["model.layers.N.self_attn.q_proj"] = "blk.N.attn_q",
        ["model.layers.N.self_attn.k_proj"] = "blk.N.attn_k",
        ["model.layers.N.self_attn.v_proj"] = "blk.N.attn_v",
        ["model.layers.N.self_attn.o_proj"] = "blk.N.attn_output",
        ["model.layers.N.post_attention_layernorm"] = "blk.N.ffn_norm",
        ["model.layers.N.mlp.gate_proj"] = "blk.N.ffn_gate",
        ["model.layers.N.mlp.up_proj"] = "blk.N.ffn_up",
        ["model.layers.N.mlp.down_proj"] = "blk.N.ffn_down",
        ["model.norm"] = "output_norm",
        ["lm_head"] = "output",
    };
}
