using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tests.Tensors.Ops;

/// <summary>The gradients of every operation against central differences; see <see cref="GradientCheck"/>.</summary>
public sealed class OperationTests
{
    public static TheoryData<SimdLevel> Levels => new(Values.SimdLevels);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void RmsNormalisation(float offset)
    {
        var check = new GradientCheck(1);
        check.Input(37, 19);
        var weight = check.Trained("w", 1, 19);
        check.Run((tape, x) => RmsNorm.Apply(tape, x[0], weight, 1e-3f, offset));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void LinearWithTrainedWeightAndBias(SimdLevel level)
    {
        var check = new GradientCheck(2) { Simd = level };
        check.Input(21, 35);
        var weight = check.Trained("w", 0.3f, 18, 35);
        var bias = check.Trained("b", 1, 18);
        check.Run((tape, x) => Linear.Apply(tape, x[0], weight, bias));
    }

    [Theory]
    [InlineData(StorageType.F32, 0)]
    [InlineData(StorageType.Q4_1, 0)]
    [InlineData(StorageType.Q8_0, 0.4)]
    [InlineData(StorageType.BF16, 0.1)]
    [InlineData(StorageType.Q4_K, 0)]
    [InlineData(StorageType.MXFP4, 0)]
    public void LinearWithAdapterOnFrozenWeight(StorageType type, float dropout)
    {
        var check = new GradientCheck(3);
        var weight = check.Values.Stored("w", type, 23, 64);
        check.Input(19, weight.Columns);
        var lora = new LoraPair(check.Trained("a", 0.5f, 5, weight.Columns), check.Trained("b", 0.5f, 23, 5), 1.7f, new DropoutMask(dropout, 99));
        check.Run((tape, x) => Linear.Apply(tape, x[0], weight, null, lora));
    }

    [Fact]
    public void ResidualOfSharedInput()
    {
        var check = new GradientCheck(4);
        check.Input(7, 12);
        var weight = check.Trained("w", 0.5f, 12, 12);
        check.Run((tape, x) => Residual.Add(tape, x[0], Linear.Apply(tape, x[0], weight)));
    }

    [Theory]
    [InlineData(RotaryPairs.Halves, 4)]
    [InlineData(RotaryPairs.Neighbours, 4)]
    [InlineData(RotaryPairs.Halves, 2)]
    public void Rotary(RotaryPairs pairs, int frequencies)
    {
        var check = new GradientCheck(5);
        check.Input(20, 24);
        double[] inverse = [.. Enumerable.Range(0, frequencies).Select(i => Math.Pow(100, -i / 4.0))];
        check.Run((tape, x) => RotaryEmbedding.Apply(tape, x[0], new RotaryAngles(tape, [.. Enumerable.Range(3, 20)], inverse, 1.3), 8, pairs));
    }

    public static TheoryData<Activation> AllActivations => new(Enum.GetValues<Activation>());

    [Theory]
    [MemberData(nameof(AllActivations))]
    public void Gated(Activation activation)
    {
        var check = new GradientCheck(6);
        check.Input(35, 17, 2);
        check.Input(35, 17);
        check.Run((tape, x) => GatedActivation.Apply(tape, x[0], x[1], activation), step: 5e-3f);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    public void EmbeddingOfRepeatedIds(int? padding)
    {
        // With a padding id the gradient is not the derivative: that row is left out on purpose.
        var check = new GradientCheck(7);
        var table = check.Trained("table", 1, 9, 14);
        int[] ids = padding is null ? [0, 3, 3, 8, 1, 3] : [0, 2, 2, 8, 1];
        check.Run((tape, _) => Embedding.Apply(tape, table, ids, padding));
    }

    [Fact]
    public void EmbeddingGivesThePaddingRowNoGradient()
    {
        var check = new GradientCheck(8);
        var table = check.Trained("table", 1, 4, 3);
        float[]? cotangent = null;
        var (_, gradients) = check.Backward(1, (tape, _) => Embedding.Apply(tape, table, [1, 2, 1], paddingId: 1), ref cotangent);
        Assert.Equal([0, 0, 0, 0, 0, 0, .. cotangent![3..6], 0, 0, 0], gradients[0]);
    }

    [Theory]
    [InlineData(50, 12, 23)]
    [InlineData(4099, 12, 23)] // three chunks of the vocabulary
    [InlineData(7, 2, 2050)] // two chunks of rows
    public void TokenLogProbabilitiesWithRepeatedSources(int vocabulary, int width, int count)
    {
        var check = new GradientCheck(9);
        check.Input(11, width);
        var head = check.Trained("head", 1, vocabulary, width);
        var sources = Enumerable.Range(0, count).Select(i => i * 7 % 9).ToArray();
        var targets = Enumerable.Range(0, count).Select(i => i * 373 % vocabulary).ToArray();
        check.Run((tape, x) => TokenLogProbabilities.Apply(tape, x[0], head, sources, targets), entries: 60);
    }

    /// <summary>The largest logit, of thousands, comes in the last chunk, in the first, or in between: against doubles.</summary>
    [Theory]
    [InlineData(5, 0)]
    [InlineData(2500, 3000)]
    [InlineData(4098, 4097)]
    public void TokenLogProbabilitiesOfHugeLogits(int largest, int target)
    {
        const int Vocabulary = 4099;
        var logits = Enumerable.Range(0, Vocabulary).Select(j => (float)(3000 * Math.Sin(j * 0.7))).ToArray();
        logits[largest] = 3002;
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        var head = Weight.FromValues("head", trainable: false, logits, Vocabulary, 1);
        var values = TokenLogProbabilities.Apply(tape, tape.Constant([1], 1, 1, requiresGradient: true), head, [0], [target]).ToArray();

        var max = logits.Max(x => (double)x);
        var logSum = Math.Log(logits.Sum(x => Math.Exp(x - max)));
        Assert.Equal(logits[target] - max - logSum, values[TokenLogProbabilities.LogProbability], 1e-3);
        Assert.Equal(max + logSum, values[TokenLogProbabilities.LogSumExp], 1e-3);
        Assert.Equal(logits.Average(x => (double)x) - max - logSum, values[TokenLogProbabilities.MeanLogProbability], 0.01);
    }

    [Theory]
    [MemberData(nameof(AllActivations))]
    public void Pointwise(Activation activation)
    {
        var check = new GradientCheck(20);
        check.Input(35, 17, 4);
        check.Run((tape, x) => PointwiseActivation.Apply(tape, x[0], activation), step: 4e-3f);
    }

    [Fact]
    public void ActivationsOfHugeValuesAreTheirLimits()
    {
        foreach (var (activation, low, high) in new[]
        {
            (Activation.Silu, 0f, 1000f), (Activation.Gelu, 0, 1000), (Activation.GeluTanh, 0, 1000), (Activation.GeluQuick, 0, 1000),
            (Activation.SquaredRelu, 0, 1e6f), (Activation.Sigmoid, 0, 1), (Activation.Tanh, -1, 1), (Activation.Softplus, 0, 1000),
        })
        {
            using var engine = new Engine(1);
            using var tape = new Tape(engine);
            var x = tape.Constant([-1000, 1000], 1, 2, requiresGradient: true);
            var y = PointwiseActivation.Apply(tape, x, activation);
            Assert.Equal([low, high], y.ToArray());
            tape.Backward(y, [1, 1]);
            Assert.All(tape.GradientOf(x), g => Assert.True(float.IsFinite(g)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LayerNormalisation(bool withBias)
    {
        var check = new GradientCheck(21);
        check.Input(37, 19);
        var weight = check.Trained("w", 1, 19);
        var bias = withBias ? check.Trained("b", 1, 19) : null;
        check.Run((tape, x) => LayerNorm.Apply(tape, x[0], weight, bias, 1e-3f), tolerance: 3e-3);
    }

    [Fact]
    public void ScaledLayers()
    {
        var check = new GradientCheck(22);
        check.Input(37, 19);
        var gamma = check.Trained("gamma", 1, 19);
        check.Run((tape, x) => LayerScale.Apply(tape, x[0], gamma));
    }

    public static TheoryData<string> RowCases => [.. RowOperations.Keys];

    private static readonly Dictionary<string, Func<Tape, Tensor, Tensor>> RowOperations = new(StringComparer.Ordinal)
    {
        ["softmax"] = Softmax.Apply,
        ["log-softmax"] = LogSoftmax.Apply,
        ["entropy"] = Entropy.Apply,
        ["forward divergence"] = (tape, x) => KlDivergence.Forward(tape, x, Teacher(tape, x), 0.7f),
        ["reverse divergence"] = (tape, x) => KlDivergence.Reverse(tape, x, Teacher(tape, x), 1.5f),
        ["softcap"] = (tape, x) => Softcap.Apply(tape, x, 1.5f),
        ["length 1"] = (tape, x) => L2Normalize.Apply(tape, x),
        ["dropout"] = (tape, x) => Dropout.Apply(tape, x, new DropoutMask(0.4f, 3)),
        ["dropout, mask given"] = (tape, x) => Dropout.Apply(tape, x, Ones(tape, x), 0.4f),
        ["masked mean"] = (tape, x) => MaskedMean.Apply(tape, x, [17, 1, 0, 19], [.. Enumerable.Range(0, 37).Select(r => r % 5 == 0 || r == 17 ? 0f : 1)]),
    };

    [Theory]
    [MemberData(nameof(RowCases))]
    public void RowByRow(string name)
    {
        var check = new GradientCheck(23);
        check.Input(37, 21, 2);
        check.Run((tape, x) => RowOperations[name](tape, x[0]));
    }

    [Theory]
    [MemberData(nameof(RowCases))]
    public void ForgottenRowsComeBack(string name)
    {
        // The operation's output is used by a product, whose weight gradient needs it again after it was forgotten.
        var check = new GradientCheck(24);
        check.Input(37, 21, 2);
        var columns = name is "entropy" or "forward divergence" or "reverse divergence" ? 1 : 21;
        var weight = check.Trained("w", 1, 3, columns);
        float[]? cotangent = null;
        var kept = check.Backward(2, (tape, x) => Linear.Apply(tape, RowOperations[name](tape, x[0]), weight), ref cotangent);
        var again = check.Backward(
            2,
            (tape, x) =>
            {
                var rows = RowOperations[name](tape, x[0]);
                var product = Linear.Apply(tape, rows, weight);
                tape.Forget(rows);
                return product;
            },
            ref cotangent);
        Assert.Equal(kept.Output, again.Output);
        Assert.Equal(kept.Gradients[0], again.Gradients[0]);
        Assert.Equal(kept.Gradients[1], again.Gradients[1]);
    }

    [Fact]
    public void NothingDropsOutsideTraining()
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        var x = tape.Constant([1, 2, 3], 1, 3);
        Assert.Equal([1, 2, 3], Dropout.Apply(tape, x, new DropoutMask(0.5f, 1)).ToArray());
    }

    [Fact]
    public void DropoutKeepsTheMeanAndItsProbability()
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine);
        var y = Dropout.Apply(tape, tape.Constant([.. Enumerable.Repeat(1f, 100_000)], 100, 1000), new DropoutMask(0.2f, 7)).ToArray();
        Assert.Equal(0.2, y.Count(v => v == 0) / 100_000.0, 0.01);
        Assert.All(y, v => Assert.True(v is 0 or 1.25f));
    }

    private static Tensor Teacher(Tape tape, Tensor x) => tape.Constant(new Values(77).Floats(x.Count, 3), x.Rows, x.Columns);

    private static Tensor Ones(Tape tape, Tensor x) => tape.Constant([.. Enumerable.Range(0, (int)x.Count).Select(i => i % 3 == 0 ? 0f : 1)], x.Rows, x.Columns);

    public static TheoryData<string> AttentionCases => [.. Cases.Keys];

    private static readonly Dictionary<string, (AttentionRule Rule, Segment[] Segments)> Cases = new(StringComparer.Ordinal)
    {
        ["one causal segment over several blocks"] = (new(2, 1), [new(0, 150)]),
        ["grouped heads, packed"] = (new(4, 2), [new(0, 9), new(9, 70), new(79, 5)]),
        ["full"] = (new(2, 2, Causal: false), [new(0, 70), new(70, 8)]),
        ["window"] = (new(2, 1, Window: 5), [new(0, 75), new(75, 20)]),
        ["full within a window behind"] = (new(2, 1, Causal: false, Window: 4), [new(0, 20)]),
        ["softcap and scale"] = (new(2, 2, Scale: 0.7f, Softcap: 1.5f), [new(0, 20), new(20, 66)]),
        ["tree"] = (new(4, 2), [new(0, 70), new(70, 9, 70, 0), new(79, 12, 79, 1), new(91, 66, 70, 0), new(157, 6), new(163, 3, 6, 4)]),
        ["tree with windows that end inside an ancestor"] = (new(2, 1, Window: 12), [new(0, 70), new(70, 9, 70, 0), new(79, 70, 79, 1), new(149, 10, 70, 0)]),
        ["tree with softcap, full inside segments"] = (new(2, 1, Causal: false, Softcap: 2), [new(0, 10), new(10, 9, 10, 0), new(19, 12, 10, 0)]),
    };

    [Theory]
    [MemberData(nameof(AttentionCases))]
    public void AttentionOverSegments(string name)
    {
        var (rule, segments) = Cases[name];
        const int Width = 8;
        var batch = new Segments(segments);
        var check = new GradientCheck(10);
        check.Input(batch.Rows, rule.Heads * Width);
        check.Input(batch.Rows, rule.KeyValueHeads * Width);
        check.Input(batch.Rows, rule.KeyValueHeads * Width);
        check.Run((tape, x) => Attention.Apply(tape, x[0], x[1], x[2], batch, rule), entries: 40);
    }

    /// <summary>The forward values against a dense mask in double precision.</summary>
    [Theory]
    [MemberData(nameof(AttentionCases))]
    public void AttentionEqualsTheDenseFormula(string name)
    {
        var (rule, segments) = Cases[name];
        const int Width = 8;
        var batch = new Segments(segments);
        var values = new Values(11);
        var q = values.Floats((long)batch.Rows * rule.Heads * Width);
        var k = values.Floats((long)batch.Rows * rule.KeyValueHeads * Width);
        var v = values.Floats((long)batch.Rows * rule.KeyValueHeads * Width);
        var expected = DenseAttention(q, k, v, batch, rule, Width);
        foreach (var level in Values.SimdLevels)
        {
            using var engine = new Engine(2, level);
            using var tape = new Tape(engine, recording: false);
            var rows = batch.Rows;
            var output = Attention.Apply(
                tape, tape.Constant(q, rows, rule.Heads * Width), tape.Constant(k, rows, rule.KeyValueHeads * Width),
                tape.Constant(v, rows, rule.KeyValueHeads * Width), batch, rule).ToArray();
            for (var i = 0; i < output.Length; i++)
            {
                Assert.Equal(expected[i], output[i], 2e-5);
            }
        }
    }

    [Fact]
    public void AttentionFromACacheEqualsAttentionAtOnce()
    {
        const int Width = 8, Heads = 4, KeyHeads = 2, Past = 70, New = 5;
        var rule = new AttentionRule(Heads, KeyHeads, Window: 60);
        var values = new Values(12);
        var q = values.Floats((Past + New) * Heads * Width);
        var k = values.Floats((Past + New) * KeyHeads * Width);
        var v = values.Floats((Past + New) * KeyHeads * Width);
        using var engine = new Engine(2);
        using var tape = new Tape(engine, recording: false);
        var whole = Attention.Apply(
            tape, tape.Constant(q, Past + New, Heads * Width), tape.Constant(k, Past + New, KeyHeads * Width),
            tape.Constant(v, Past + New, KeyHeads * Width), new Segments(new Segment(0, Past + New)), rule).ToArray();
        var (keys, cachedValues) = (Tensor.Persistent(100, KeyHeads * Width), Tensor.Persistent(100, KeyHeads * Width));
        const int Offset = 11; // rows of the cache before this sequence
        for (var r = 0; r < Past; r++)
        {
            k.AsSpan(r * KeyHeads * Width, KeyHeads * Width).CopyTo(keys.RowSpan(Offset + r));
            v.AsSpan(r * KeyHeads * Width, KeyHeads * Width).CopyTo(cachedValues.RowSpan(Offset + r));
        }

        var last = Attention.Apply(
            tape,
            tape.Constant(q.AsSpan(Past * Heads * Width), New, Heads * Width),
            tape.Constant(k.AsSpan(Past * KeyHeads * Width), New, KeyHeads * Width),
            tape.Constant(v.AsSpan(Past * KeyHeads * Width), New, KeyHeads * Width),
            new Segments(new Segment(Offset, Past, Cached: true), new Segment(0, New, Past, 0)),
            rule,
            new CachedKeys(keys, cachedValues)).ToArray();
        for (var i = 0; i < last.Length; i++)
        {
            Assert.Equal(whole[Past * Heads * Width + i], last[i], 1e-5f);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    public void ManySequencesHaveTheBitsOfFewThreadsOrMany(int width)
    {
        // One thread works on all heads of a sequence at once, five have too few sequences for that.
        const int Heads = 6, KeyHeads = 2, Prefix = 20;
        Segment[] segments =
        [
            new(0, Prefix), new(20, 1, Prefix, 0), new(21, 2, Prefix, 0),
            new(23, Prefix), new(43, 3, Prefix, 3), new(46, 1, Prefix, 3),
            new(47, 1), new(48, 2),
        ];
        var rule = new AttentionRule(Heads, KeyHeads, Window: 15);
        var values = new Values((ulong)width);
        var q = values.Floats(50 * Heads * width);
        var (k, v) = (values.Floats(50 * KeyHeads * width), values.Floats(50 * KeyHeads * width));
        var outputs = new[] { 1, 5 }.Select(threads =>
        {
            using var engine = new Engine(threads);
            using var tape = new Tape(engine, recording: false);
            return Attention.Apply(
                tape, tape.Constant(q, 50, Heads * width), tape.Constant(k, 50, KeyHeads * width), tape.Constant(v, 50, KeyHeads * width), new Segments(segments), rule).ToArray();
        }).ToArray();
        var expected = DenseAttention(q, k, v, new Segments(segments), rule, width);
        Assert.Equal(outputs[0], outputs[1]);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], outputs[0][i], 1e-5);
        }
    }

    private static double[] DenseAttention(float[] q, float[] k, float[] v, Segments batch, AttentionRule rule, int width)
    {
        var rows = batch.Rows;
        var segmentOf = new int[rows];
        foreach (var (segment, s) in batch.All.Select((segment, s) => (segment, s)))
        {
            Array.Fill(segmentOf, s, segment.Start, segment.Length);
        }

        var positions = batch.Positions();
        bool IsAncestor(int s, int of) => of >= 0 && (s == of || IsAncestor(s, batch.All[of].Parent));
        bool Sees(int i, int j) =>
            IsAncestor(segmentOf[j], segmentOf[i])
            && !(rule.Causal && segmentOf[i] == segmentOf[j] && j > i)
            && (rule.Window is not { } window || positions[j] > positions[i] - window);
        var (qStride, kStride) = (rule.Heads * width, rule.KeyValueHeads * width);
        var output = new double[rows * qStride];
        for (var h = 0; h < rule.Heads; h++)
        {
            var kv = h / (rule.Heads / rule.KeyValueHeads);
            for (var i = 0; i < rows; i++)
            {
                var seen = Enumerable.Range(0, rows).Where(j => Sees(i, j)).ToArray();
                var scores = seen.Select(j =>
                {
                    var score = Enumerable.Range(0, width).Sum(d => (double)q[i * qStride + h * width + d] * k[j * kStride + kv * width + d])
                        * (rule.Scale ?? 1 / Math.Sqrt(width));
                    return rule.Softcap is { } cap ? cap * Math.Tanh(score / cap) : score;
                }).ToArray();
                var max = scores.Max();
                var sum = scores.Sum(s => Math.Exp(s - max));
                for (var x = 0; x < seen.Length; x++)
                {
                    for (var d = 0; d < width; d++)
                    {
                        output[i * qStride + h * width + d] += Math.Exp(scores[x] - max) / sum * v[seen[x] * kStride + kv * width + d];
                    }
                }
            }
        }

        return output;
    }
}
