using Apprentice.Tensors;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tests.Tensors.Ops;

public sealed class ParameterUpdateTests
{
    [Fact]
    public void EveryLengthLikeTheFormulaInDouble()
    {
        using var engine = new Engine(2);
        foreach (var count in Enumerable.Range(1, 70).Append(40_000))
        {
            var values = new Values((ulong)count);
            var weight = values.Weight("w", trainable: true, 1, count);
            var start = weight.ToArray();
            var gradient = values.Floats(count);
            weight.Gradient!.SetValues(gradient);
            var (m, v) = (Tensor.Persistent(1, count), Tensor.Persistent(1, count));
            ParameterUpdate.AdamW(engine, weight, m, v, new AdamWStep(0.1, 0.9, 0.999, 1e-8, 0.5, Step: 3), gradientScale: 0.5);
            var after = weight.ToArray();
            for (var i = 0; i < count; i++)
            {
                var g = gradient[i] * 0.5;
                var update = 0.1 * g / (1 - Math.Pow(0.9, 3)) / (Math.Sqrt(0.001 * g * g / (1 - Math.Pow(0.999, 3))) + 1e-8) * 0.1;
                Assert.Equal(start[i] * 0.95 - update, after[i], 2e-6);
            }
        }
    }

    [Fact]
    public void TheSameBitsForAnyNumberOfThreads()
    {
        var results = new List<(float[] Adam, float[] Sgd, double Norm)>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var engine = new Engine(threads);
            var values = new Values(1);
            var (adam, sgd) = (values.Weight("adam", trainable: true, 1, 300, 301), values.Weight("sgd", trainable: true, 1, 300, 301));
            adam.Gradient!.SetValues(values.Floats(adam.Count));
            sgd.Gradient!.SetValues(values.Floats(sgd.Count));
            var state = Enumerable.Range(0, 4).Select(_ => Tensor.Persistent(300, 301)).ToArray();
            for (var step = 1; step <= 3; step++)
            {
                ParameterUpdate.AdamW(engine, adam, state[0], state[1], new AdamWStep(0.01, 0.9, 0.999, 1e-8, 0, step), maximum: state[2]);
                ParameterUpdate.Sgd(engine, sgd, state[3], new SgdStep(0.01, 0.9, 0, 0, Nesterov: true, step));
            }

            results.Add((adam.ToArray(), sgd.ToArray(), GradientNorm.Squared(engine, [adam, sgd])));
        }

        Assert.All(results, r => Assert.Equal(results[0].Adam, r.Adam));
        Assert.All(results, r => Assert.Equal(results[0].Sgd, r.Sgd));
        Assert.All(results, r => Assert.Equal(results[0].Norm, r.Norm));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void GradientsThatAreNoNumbersAreNamed(float value)
    {
        using var engine = new Engine(2);
        var (good, bad) = (Weight.Zeros("good", trainable: true, 5), Weight.Zeros("layers.3.bad", trainable: true, 200, 300));
        var gradient = new float[60_000];
        gradient[150 * 300 + 7] = value;
        bad.Gradient!.SetValues(gradient);
        var message = Assert.Throws<ArithmeticException>(() => GradientNorm.Squared(engine, [good, Weight.Zeros("frozen", trainable: false, 3), bad])).Message;
        Assert.Contains("layers.3.bad", message, StringComparison.Ordinal);
        Assert.Contains("row 150, column 7", message, StringComparison.Ordinal);
    }

    [Fact]
    public void HugeGradientsDoNotOverflowTheNorm()
    {
        using var engine = new Engine(1);
        var weight = Weight.Zeros("w", trainable: true, 4);
        weight.Gradient!.SetValues([1e30f, 1e30f, 1e30f, 1e30f]);
        Assert.Equal(2e30, Math.Sqrt(GradientNorm.Squared(engine, [weight])), 1e24);
    }

    [Fact]
    public void FrozenWeightsAndForeignStateAreRefused()
    {
        using var engine = new Engine(1);
        var (frozen, trained) = (Weight.Zeros("f", trainable: false, 4), Weight.Zeros("t", trainable: true, 4));
        var (fits, foreign) = (Tensor.Persistent(1, 4), Tensor.Persistent(1, 5));
        Assert.Throws<ArgumentException>(() => ParameterUpdate.AdamW(engine, frozen, fits, fits, new AdamWStep(1, 0.9, 0.999, 1e-8, 0, 1)));
        Assert.Throws<ArgumentException>(() => ParameterUpdate.AdamW(engine, trained, fits, foreign, new AdamWStep(1, 0.9, 0.999, 1e-8, 0, 1)));
        Assert.Throws<ArgumentException>(() => ParameterUpdate.Sgd(engine, trained, null, new SgdStep(1, 0.9, 0, 0, Nesterov: false, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ParameterUpdate.Sgd(engine, trained, null, new SgdStep(1, 0, 0, 0, Nesterov: false, 0)));
    }
}
