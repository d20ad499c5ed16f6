using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tests.Tensors.Ops;

/// <summary>DoRA in the linear operation, and the adapter of an embedding.</summary>
public sealed class DoraMagnitudeTests
{
    private const int Rows = 21, In = 64, Out = 23, Rank = 5;
    private const float Scale = 1.7f;

    public static TheoryData<SimdLevel> Levels => new(Values.SimdLevels);

    [Theory]
    [MemberData(nameof(Levels))]
    public void Gradients_of_input_magnitude_and_bias_are_those_of_differences(SimdLevel level)
    {
        var check = new GradientCheck(11) { Simd = level };
        check.Input(Rows, In);
        var weight = check.Values.Stored("w", StorageType.Q8_0, Out, In);
        var vector = check.Trained("m", 1, Out);
        var bias = check.Trained("bias", 1, Out);
        var pair = new LoraPair(check.Values.Weight("a", false, 0.5f, Rank, In), check.Values.Weight("b", false, 0.5f, Out, Rank), Scale) { Magnitude = new DoraMagnitude(vector, weight) };
        check.Run((tape, x) => Linear.Apply(tape, x[0], weight, bias, pair));
    }

    /// <summary>Against the formula in double with the lengths of the rows held still, since they carry no gradient.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void Gradients_of_A_and_B_see_lengths_that_stand_still(SimdLevel level)
    {
        var values = new Values(12);
        var weight = values.Stored("w", StorageType.F16, Out, In);
        var (a, b) = (values.Weight("a", true, 0.5f, Rank, In), values.Weight("b", true, 0.5f, Out, Rank));
        var pair = new LoraPair(a, b, Scale) { Magnitude = new DoraMagnitude(values.Weight("m", true, 1, Out), weight) };
        var (x, cotangent) = (values.Floats(Rows * In), values.Floats(Rows * Out));
        float[]? output = null, first = null;
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var engine = new Engine(threads, level);
            using var tape = new Tape(engine);
            Array.ForEach([a, b, pair.Magnitude.Vector], ParameterUpdate.ClearGradient);
            var y = Linear.Apply(tape, tape.Constant(x, Rows, In, requiresGradient: true), weight, null, pair);
            output ??= y.ToArray();
            Assert.Equal(output, y.ToArray());
            tape.Backward(y, cotangent);
            float[] gradients = [.. a.Gradient!.ToArray(), .. b.Gradient!.ToArray(), .. pair.Magnitude.Vector.Gradient!.ToArray()];
            Assert.Equal(first ??= gradients, gradients);
        }

        var lengths = Lengths(weight.ToArray(), a.ToArray(), b.ToArray());
        var (scalar, _) = Formula(0, 0);
        Assert.All(scalar.Zip(output!), p => Assert.Equal(p.First, p.Second, 2e-4));
        for (var i = 0; i < first!.Length - Out; i += 3)
        {
            const double Step = 1e-4;
            var ((_, up), (_, down)) = (Formula(i, Step), Formula(i, -Step));
            Assert.Equal((up - down) / (2 * Step), first[i], 2e-3 * (1 + Math.Abs(first[i])));
        }

        (double[] Y, double Loss) Formula(int entry, double change)
        {
            double[] A = Array.ConvertAll(a.ToArray(), v => (double)v), B = Array.ConvertAll(b.ToArray(), v => (double)v);
            (entry < A.Length ? A : B)[entry < A.Length ? entry : entry - A.Length] += change;
            var (w, m, y) = (weight.ToArray(), pair.Magnitude!.Vector.ToArray(), new double[Rows * Out]);
            for (var j = 0; j < Out; j++)
            {
                for (var i = 0; i < In; i++)
                {
                    var changed = w[j * In + i] + Scale * Enumerable.Range(0, Rank).Sum(k => B[j * Rank + k] * A[k * In + i]);
                    for (var r = 0; r < Rows; r++)
                    {
                        y[r * Out + j] += x[r * In + i] * changed * m[j] / lengths[j];
                    }
                }
            }

            return (y, y.Zip(cotangent, (v, c) => v * c).Sum());
        }
    }

    [Fact]
    public void A_new_one_changes_nothing_and_a_changed_B_is_seen()
    {
        var values = new Values(13);
        var weight = values.Stored("w", StorageType.Q4_1, Out, In);
        var (a, b) = (values.Weight("a", true, 0.5f, Rank, In), Weight.Zeros("b", true, Out, Rank));
        var pair = new LoraPair(a, b, Scale) { Magnitude = new DoraMagnitude(Weight.Zeros("m", true, Out), weight, isNew: true) };
        var x = values.Floats(Rows * In);
        using var engine = new Engine(2);
        Assert.Equal(Apply(null), Apply(pair));

        b.SetValues(values.Floats(b.Count));
        var lengths = Lengths(weight.ToArray(), a.ToArray(), b.ToArray());
        var (plain, changed) = (Apply(pair with { Magnitude = null }), Apply(pair));
        for (var i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i] * pair.Magnitude.Vector.ToArray()[i % Out] / lengths[i % Out], changed[i], 1e-3);
        }

        // A row without length has none to turn.
        var nothing = Weight.FromValues("w", false, new float[Out * In], Out, In);
        var still = new LoraPair(a, Weight.Zeros("b", true, Out, Rank), Scale) { Magnitude = new DoraMagnitude(Weight.Zeros("m", true, Out), nothing, isNew: true) };
        using var tape = new Tape(engine, recording: false);
        Assert.All(Linear.Apply(tape, tape.Constant(x, Rows, In), nothing, null, still).ToArray(), y => Assert.Equal(0, y));

        float[] Apply(LoraPair? lora)
        {
            using var inner = new Tape(engine, recording: false);
            return Linear.Apply(inner, inner.Constant(x, Rows, In), weight, null, lora).ToArray();
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void An_embedding_with_an_adapter_has_the_gradients_of_differences(SimdLevel level)
    {
        var check = new GradientCheck(14) { Simd = level };
        int[] ids = [3, 0, 3, 18, 7, 3, 1, 0, 11];
        var table = check.Trained("table", 1, 19, 24);
        var pair = new LoraPair(check.Trained("a", 0.5f, Rank, 19), check.Trained("b", 0.5f, 24, Rank), Scale);
        check.Run((tape, _) => Embedding.Apply(tape, table, ids, lora: pair));

        using var engine = new Engine(1, level);
        using var tape = new Tape(engine, recording: false);
        var looked = Embedding.Apply(tape, table, [18], lora: pair).ToArray();
        var merged = table.ToArray()[(18 * 24)..];
        pair.MergeEmbeddingRow(18, merged);
        Assert.All(looked.Zip(merged), p => Assert.Equal(p.First, p.Second, 1e-5));
    }

    [Fact]
    public void Run_again_in_backward_it_gives_the_same_gradients()
    {
        var check = new GradientCheck(15);
        check.Input(Rows, In);
        var weight = check.Values.Weight("w", false, 0.5f, In, In);
        var pair = new LoraPair(check.Trained("a", 0.5f, Rank, In), check.Trained("b", 0.5f, In, Rank), Scale, new DropoutMask(0.3f, 5)) { Magnitude = new DoraMagnitude(check.Trained("m", 1, In), weight) };
        float[]? cotangent = null;
        Tensor Block(Tape tape, Tensor[] x) => tape.Block(x[0], (t, h) => Residual.Add(t, h, Linear.Apply(t, h, weight, null, pair)));
        var (output, gradients) = check.Backward(1, Block, ref cotangent);
        var (again, same) = check.Backward(2, Block, ref cotangent, recompute: true);
        Assert.Equal(output, again);
        Assert.All(gradients.Zip(same), p => Assert.Equal(p.First, p.Second));
    }

    private static double[] Lengths(float[] w, float[] a, float[] b) => [.. Enumerable.Range(0, Out).Select(j => Math.Sqrt(Enumerable.Range(0, In).Sum(i =>
        Math.Pow(w[j * In + i] + Scale * Enumerable.Range(0, Rank).Sum(k => (double)b[j * Rank + k] * a[k * In + i]), 2))))];
}
