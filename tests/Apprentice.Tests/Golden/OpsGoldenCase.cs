using System.Text.Json;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tests.Golden;

/// <summary>One case of training/ops: its inputs, the call that its name and attributes stand for, and the comparison.</summary>
internal sealed class OpsGoldenCase(string name, JsonElement description, GoldenTensors tensors)
{
    private readonly List<(string Input, Func<Tape, float[]> Gradient)> _gradients = [];
    private int[]? _headsShape; // of [batch, heads, tokens, width], where the output has it

    /// <summary>Whether the operation exists (images and the generalised divergence come later).</summary>
    public bool IsBuilt => !Is("conv2d") && !Is("group_norm") && !Is("jsd");

    /// <summary>Runs forward and backward; one message for each tensor that is off.</summary>
    public IEnumerable<string> Differences(Engine engine)
    {
        using var tape = new Tape(engine);
        var cotangent = tensors.Floats($"{name}/cotangent");
        if (Is("cross_entropy"))
        {
            return CrossEntropy(tape, cotangent[0]);
        }

        var output = Apply(tape);
        var messages = Compare("out", ToCase(output.ToArray()), 1e-5);
        tape.Backward(output, FromCase(cotangent));
        var tolerance = name.Contains("tiny_inputs", StringComparison.Ordinal) ? 1e-4 : 1e-5;
        return [.. messages, .. _gradients.SelectMany(g => Compare($"grad/{g.Input}", g.Gradient(tape), tolerance))];
    }

    private Tensor Apply(Tape tape) => name switch
    {
        _ when Is("rmsnorm") => RmsNorm.Apply(tape, X(tape), W("w"), Number("eps"), name.Contains("plus_one", StringComparison.Ordinal) ? 1 : 0),
        _ when Is("layernorm") => LayerNorm.Apply(tape, X(tape), W("w"), W("b"), Number("eps")),
        _ when Is("softmax") => Softmax.Apply(tape, X(tape)),
        _ when Is("log_softmax") => LogSoftmax.Apply(tape, X(tape)),
        _ when Is("entropy") => Entropy.Apply(tape, X(tape)),
        _ when Is("kl_reverse") => KlDivergence.Reverse(tape, X(tape, "student"), Constant(tape, "teacher"), Number("temperature", 1)),
        _ when Is("kl_forward") => KlDivergence.Forward(tape, X(tape, "student"), Constant(tape, "teacher"), Number("temperature", 1)),
        _ when Is("swiglu") => GatedActivation.Apply(tape, X(tape, "gate"), X(tape, "up"), Activation.Silu),
        _ when Is("geglu_tanh") => GatedActivation.Apply(tape, X(tape, "gate"), X(tape, "up"), Activation.GeluTanh),
        _ when Is("geglu") => GatedActivation.Apply(tape, X(tape, "gate"), X(tape, "up"), Activation.Gelu),
        _ when Is("silu") => PointwiseActivation.Apply(tape, X(tape), Activation.Silu),
        _ when Is("gelu_tanh") => PointwiseActivation.Apply(tape, X(tape), Activation.GeluTanh),
        _ when Is("gelu_quick") => PointwiseActivation.Apply(tape, X(tape), Activation.GeluQuick),
        _ when Is("gelu") => PointwiseActivation.Apply(tape, X(tape), Activation.Gelu),
        _ when Is("relu2") => PointwiseActivation.Apply(tape, X(tape), Activation.SquaredRelu),
        _ when Is("sigmoid") => PointwiseActivation.Apply(tape, X(tape), Activation.Sigmoid),
        _ when Is("tanh") => PointwiseActivation.Apply(tape, X(tape), Activation.Tanh),
        _ when Is("softplus") => PointwiseActivation.Apply(tape, X(tape), Activation.Softplus),
        _ when Is("linear") => Linear.Apply(tape, X(tape), W("w"), W("b")),
        _ when Is("softcap") => Softcap.Apply(tape, X(tape), Number("cap")),
        _ when Is("rope") => Rope(tape),
        _ when Is("attention") => Attend(tape),
        _ when Is("embedding") => Embedding.Apply(tape, W("w"), tensors.Ints(At("ids")), Attribute("padding_idx")?.GetInt32()),
        _ when Is("layer_scale") => LayerScale.Apply(tape, X(tape), W("gamma")),
        _ when Is("dropout") => Dropout.Apply(tape, X(tape), Constant(tape, "mask"), Number("p")),
        _ when Is("l2_normalize") => L2Normalize.Apply(tape, X(tape), Number("eps")),
        _ when Is("masked_mean") => MaskedMean.Apply(
            tape, X(tape), [.. Enumerable.Repeat(Shape("x")[1], Shape("x")[0])], tensors.Floats(At("mask"))),
        _ => throw new NotSupportedException($"no operation is known for the case '{name}'"),
    };

    private Tensor Rope(Tape tape)
    {
        var shape = Shape("x");
        var rotary = Attribute("rotary_dim")?.GetInt32() ?? shape[3];
        var frequencies = Enumerable.Range(0, rotary / 2).Select(i => Math.Pow(Number("base"), -2.0 * i / rotary)).ToArray();
        var x = HeadsLast(tape, "x");
        _headsShape = shape;
        return RotaryEmbedding.Apply(
            tape, x, new RotaryAngles(tape, tensors.Ints(At("pos")), frequencies), shape[3],
            name.Contains("interleaved", StringComparison.Ordinal) ? RotaryPairs.Neighbours : RotaryPairs.Halves);
    }

    private Tensor Attend(Tape tape)
    {
        var shape = Shape("q");
        var (batch, length) = (shape[0], shape[2]);
        var ids = name.Contains("segments", StringComparison.Ordinal)
            ? tensors.Ints($"{Inputs}/segment_ids")
            : [.. Enumerable.Range(0, batch * length).Select(_ => 0)];
        var segments = new List<Segment>();
        for (var t = 0; t < batch * length; t++)
        {
            if (t % length == 0 || ids[t] != ids[t - 1])
            {
                segments.Add(new Segment(t, 0));
            }

            segments[^1] = segments[^1] with { Length = segments[^1].Length + 1 };
        }

        int? window = Attribute("window") is { ValueKind: JsonValueKind.Number } w ? w.GetInt32() : null;
        var rule = new AttentionRule(
            Attribute("query_heads")!.Value.GetInt32(),
            Attribute("kv_heads")!.Value.GetInt32(),
            Causal: !name.Contains("full", StringComparison.Ordinal),
            window,
            Attribute("scale")?.GetSingle(),
            Attribute("cap")?.GetSingle());
        var (q, k, v) = (HeadsLast(tape, "q"), HeadsLast(tape, "k"), HeadsLast(tape, "v"));
        _headsShape = shape;
        return Attention.Apply(tape, q, k, v, new Segments([.. segments]), rule);
    }

    /// <summary>Through the output operation, with an identity as head, so that hidden states are logits.</summary>
    private IEnumerable<string> CrossEntropy(Tape tape, double cotangent)
    {
        var x = X(tape);
        var logits = Attribute("cap") is { } cap ? Softcap.Apply(tape, x, cap.GetSingle()) : x;
        var labels = tensors.Ints(At("t"));
        var sources = Enumerable.Range(0, labels.Length).Where(i => labels[i] != -100).ToArray();
        var identity = new float[(long)x.Columns * x.Columns];
        for (var i = 0; i < x.Columns; i++)
        {
            identity[(long)i * x.Columns + i] = 1;
        }

        var head = Weight.FromValues("identity", trainable: false, identity, x.Columns, x.Columns);
        var result = TokenLogProbabilities.Apply(tape, logits, head, sources, [.. sources.Select(s => labels[s])]);
        var values = result.ToArray();
        var weights = Attribute("weights") is { } given ? given.EnumerateArray().Select(w => w.GetDouble()).ToArray() : null;
        var mean = weights is null && !name.Contains("sum", StringComparison.Ordinal);
        double smoothing = Number("label_smoothing", 0), z = Number("z", 0), loss = 0;
        var gradient = new float[values.Length];
        for (var i = 0; i < sources.Length; i++)
        {
            var weight = weights?[sources[i]] ?? (mean ? 1.0 / sources.Length : 1);
            var row = values.AsSpan(3 * i, 3);
            var logSum = (double)row[TokenLogProbabilities.LogSumExp];
            loss += weight * (-(1 - smoothing) * row[TokenLogProbabilities.LogProbability]
                - smoothing * row[TokenLogProbabilities.MeanLogProbability] + z * logSum * logSum);
            gradient[3 * i + TokenLogProbabilities.LogProbability] = (float)(-cotangent * weight * (1 - smoothing));
            gradient[3 * i + TokenLogProbabilities.MeanLogProbability] = (float)(-cotangent * weight * smoothing);
            gradient[3 * i + TokenLogProbabilities.LogSumExp] = (float)(cotangent * weight * z * 2 * logSum);
        }

        var messages = Compare("out", [(float)loss], 1e-5);
        tape.Backward(result, gradient);
        return [.. messages, .. _gradients.SelectMany(g => Compare($"grad/{g.Input}", g.Gradient(tape), 1e-5))];
    }

    private bool Is(string operation) => name.StartsWith(operation, StringComparison.Ordinal);

    private string Inputs => description.TryGetProperty("inputs_from", out var from) ? from.GetString()! : name;

    private string At(string input) => $"{Inputs}/in/{input}";

    private int[] Shape(string input) => [.. tensors.Shape(At(input)).Select(d => (int)d)];

    private JsonElement? Attribute(string key) => description.GetProperty("attributes").TryGetProperty(key, out var value) ? value : null;

    private float Number(string key, float? missing = null) => Attribute(key)?.GetSingle() ?? missing ?? throw new KeyNotFoundException($"{name}: {key}");

    private Tensor X(Tape tape, string input = "x")
    {
        var tensor = Constant(tape, input, requiresGradient: true);
        _gradients.Add((input, t => t.GradientOf(tensor)));
        return tensor;
    }

    private Tensor Constant(Tape tape, string input, bool requiresGradient = false)
    {
        var values = tensors.Floats(At(input));
        var columns = Shape(input)[^1];
        return tape.Constant(values, values.Length / columns, columns, requiresGradient);
    }

    private Weight W(string input)
    {
        var weight = Weight.FromValues(input, trainable: true, tensors.Floats(At(input)), tensors.Shape(At(input)));
        _gradients.Add((input, _ => weight.Gradient!.ToArray()));
        return weight;
    }

    /// <summary>[batch, heads, tokens, width] as the engine has it: a row a token, heads side by side.</summary>
    private Tensor HeadsLast(Tape tape, string input)
    {
        var shape = Shape(input);
        var tensor = tape.Constant(Reorder(tensors.Floats(At(input)), shape, toRows: true), shape[0] * shape[2], shape[1] * shape[3], requiresGradient: true);
        _gradients.Add((input, t => Reorder(t.GradientOf(tensor), shape, toRows: false)));
        return tensor;
    }

    private float[] ToCase(float[] values) => _headsShape is null ? values : Reorder(values, _headsShape, toRows: false);

    private float[] FromCase(float[] values) => _headsShape is null ? values : Reorder(values, _headsShape, toRows: true);

    private static float[] Reorder(float[] values, int[] shape, bool toRows)
    {
        var (batch, heads, tokens, width) = (shape[0], shape[1], shape[2], shape[3]);
        var result = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (d, t, h, b) = (i % width, i / width % tokens, i / width / tokens % heads, i / width / tokens / heads);
            var row = ((b * tokens + t) * heads + h) * width + d;
            result[toRows ? row : i] = values[toRows ? i : row];
        }

        return result;
    }

    private List<string> Compare(string what, float[] actual, double tolerance)
    {
        var expected = tensors.Floats($"{name}/{what}");
        if (expected.Length != actual.Length)
        {
            return [$"{name}/{what}: {actual.Length} values instead of {expected.Length}"];
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] != actual[i] && !(Math.Abs(expected[i] - actual[i]) <= 1e-5 + tolerance * Math.Abs(expected[i])))
            {
                return [$"{name}/{what}[{i}]: {actual[i]:R} instead of {expected[i]:R}"];
            }
        }

        return [];
    }
}
