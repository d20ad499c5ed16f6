using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Tensors.Ops;

namespace Apprentice.Tests.Tensors.Autograd;

public sealed class TapeTests
{
    private const int Rows = 70, Width = 24, Heads = 3, Inner = 40;

    /// <summary>A stack of layers like Llama's: all of recording, forgetting, taking over and blocks at once.</summary>
    private sealed class Layers(GradientCheck check, float dropout)
    {
        private readonly Layer[] _layers = [.. Enumerable.Range(0, 3).Select(l => new Layer(check, (ulong)l, dropout))];

        public Tensor Forward(Tape tape, Tensor x, bool forget = true) =>
            _layers.Aggregate(x, (h, layer) => tape.Block(h, (t, input) => layer.Forward(t, input, forget)));
    }

    private sealed class Layer(GradientCheck check, ulong place, float dropout)
    {
        private readonly Weight _norm = check.Trained("norm", 1, Width);
        private readonly Weight _q = check.Trained("q", 0.3f, Width, Width);
        private readonly Weight _k = check.Values.Weight("k", trainable: false, 0.3f, Width / Heads, Width);
        private readonly Weight _v = check.Trained("v", 0.3f, Width / Heads, Width);
        private readonly Weight _o = check.Values.Weight("o", trainable: false, 0.3f, Width, Width);
        private readonly Weight _gate = check.Trained("gate", 0.3f, Inner, Width);
        private readonly Weight _up = check.Trained("up", 0.3f, Inner, Width);
        private readonly Weight _down = check.Trained("down", 0.3f, Width, Inner);
        private readonly LoraPair _lora = new(
            check.Trained("A", 0.3f, 4, Width), check.Trained("B", 0.3f, Width, 4), 2, new DropoutMask(dropout, 5).At(place));

        private readonly Segments _segments = new(new Segment(0, 30), new Segment(30, 20, 30, 0), new Segment(50, 20, 30, 0));
        private readonly AttentionRule _rule = new(Heads, 1);

        public Tensor Forward(Tape tape, Tensor x, bool forget)
        {
            var angles = new RotaryAngles(tape, _segments.Positions(), [1, 0.3, 0.1, 0.01]);
            var normed = RmsNorm.Apply(tape, x, _norm, 1e-5f);
            var q = RotaryEmbedding.Apply(tape, Linear.Apply(tape, normed, _q, null, _lora), angles, Width / Heads);
            var k = RotaryEmbedding.Apply(tape, Linear.Apply(tape, normed, _k), angles, Width / Heads);
            var v = Linear.Apply(tape, normed, _v);
            Forget(normed);
            var attended = Attention.Apply(tape, q, k, v, _segments, _rule);
            var h = Residual.Add(tape, x, Linear.Apply(tape, attended, _o));
            var again = RmsNorm.Apply(tape, h, _norm, 1e-5f);
            var gate = Linear.Apply(tape, again, _gate);
            var up = Linear.Apply(tape, again, _up);
            Forget(again);
            var inner = GatedActivation.Apply(tape, gate, up, Activation.Silu);
            var down = Linear.Apply(tape, inner, _down);
            Forget(inner);
            return Residual.Add(tape, h, down);

            void Forget(Tensor tensor)
            {
                if (forget)
                {
                    tape.Forget(tensor);
                }
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void RecomputationAndForgettingChangeNoBit(float dropout)
    {
        var check = new GradientCheck(1);
        check.Input(Rows, Width);
        var layers = new Layers(check, dropout);
        float[]? cotangent = null;
        var (output, gradients) = check.Backward(1, (tape, x) => layers.Forward(tape, x[0], forget: false), ref cotangent);
        foreach (var (threads, recompute) in new[] { (1, false), (1, true), (2, false), (3, true) })
        {
            var (again, sameGradients) = check.Backward(threads, (tape, x) => layers.Forward(tape, x[0]), ref cotangent, recompute);
            Assert.Equal(output, again);
            for (var g = 0; g < gradients.Count; g++)
            {
                Assert.Equal(gradients[g], sameGradients[g]);
            }
        }
    }

    [Fact]
    public void GradientsOfWholeLayers()
    {
        var check = new GradientCheck(2);
        check.Input(Rows, Width);
        var layers = new Layers(check, dropout: 0.2f);
        check.Run((tape, x) => layers.Forward(tape, x[0]), step: 4e-3f, tolerance: 5e-3, entries: 6);
    }

    [Fact]
    public void InferenceKeepsOnlyTheOutputAndDropsNothingOut()
    {
        var check = new GradientCheck(3);
        check.Input(Rows, Width);
        var layers = new Layers(check, dropout: 0.5f);
        using var engine = new Engine(2);
        using var tape = new Tape(engine, recording: false);
        var values = check.Values.Floats(Rows * Width);
        var first = layers.Forward(tape, tape.Constant(values, Rows, Width));
        Assert.Equal(Rows * Width * sizeof(float), engine.Arena.LiveBytes);
        Assert.Equal(first.ToArray(), layers.Forward(tape, tape.Constant(values, Rows, Width)).ToArray());
        tape.Reset();
        Assert.Equal(0, engine.Arena.LiveBytes);
    }

    [Fact]
    public void ABlockMayTakeItsInputOver()
    {
        var check = new GradientCheck(4);
        check.Input(5, 8);
        RotaryAngles Angles(Tape tape) => new(tape, [0, 1, 2, 3, 4], [1, 0.1]);
        float[]? cotangent = null;
        Tensor Twice(Tape tape, Tensor[] x) => Residual.Add(tape, x[0], tape.Block(x[0], (t, input) => RotaryEmbedding.Apply(t, input, Angles(t), 4)));
        var (output, gradients) = check.Backward(1, Twice, ref cotangent, recompute: true);
        var x = tape0(check);
        Assert.Equal(x.Output, output);
        Assert.Equal(x.Gradients[0], gradients[0]);

        (float[] Output, List<float[]> Gradients) tape0(GradientCheck c)
        {
            float[]? same = cotangent;
            return c.Backward(1, (tape, input) => Residual.Add(
                tape, input[0], RotaryEmbedding.Apply(tape, Copy(tape, input[0]), Angles(tape), 4)), ref same);
        }
    }

    [Fact]
    public void ATapeThatServesManyStepsAllocatesOnce()
    {
        var check = new GradientCheck(5);
        var layers = new Layers(check, dropout: 0);
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        var values = check.Values.Floats(Rows * Width);
        var peak = 0L;
        for (var step = 0; step < 5; step++)
        {
            var output = layers.Forward(tape, tape.Constant(values, Rows, Width));
            tape.Backward(output, values);
            tape.Reset();
            Assert.Equal(0, engine.Arena.LiveBytes);
            peak = step == 0 ? engine.Arena.PeakBytes : peak;
            Assert.Equal(peak, engine.Arena.PeakBytes);
        }
    }

    [Fact]
    public void MisuseIsSaidClearly()
    {
        using var engine = new Engine(1);
        using var silent = new Tape(engine, recording: false);
        using var tape = new Tape(engine);
        Assert.Throws<InvalidOperationException>(() => silent.Backward(silent.Constant([1], 1, 1), [1]));
        Assert.Throws<ArgumentException>(() => tape.Backward(tape.Constant([1], 1, 1), [1, 2]));
        Assert.Throws<ArgumentException>(() => tape.Constant([1, 2], 1, 1));
        var x = tape.Constant([1, 2], 1, 2);
        var taken = RotaryEmbedding.Apply(tape, x, new RotaryAngles(tape, [1], [1]), 2);
        Assert.Contains("taken over", Assert.Throws<InvalidOperationException>(() => Residual.Add(tape, taken, x)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Engine(1, (Apprentice.Tensors.Kernels.SimdLevel)64));
    }

    private static Tensor Copy(Tape tape, Tensor x)
    {
        var identity = new float[x.Columns * x.Columns];
        for (var i = 0; i < x.Columns; i++)
        {
            identity[i * x.Columns + i] = 1;
        }

        return Linear.Apply(tape, x, Weight.FromValues("identity", trainable: false, identity, x.Columns, x.Columns));
    }
}
