using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

public sealed class ExponentialTests
{
    /// <summary>Every float of which the exponent is neither 0 nor infinite, at a step that meets all of their exponents.</summary>
    private static readonly float[] Sweep =
        [.. Enumerable.Range(0, 2_000_000).Select(i => BitConverter.Int32BitsToSingle(i * 1024)).Where(x => x < 88.72f).SelectMany(x => new[] { x, -x })];

    [Fact]
    public void ExpIsOffByLessThanAUnitInTheLastPlace()
    {
        var y = new float[Sweep.Length];
        Exponential.Exp(Sweep, y);
        AssertClose(x => x < -87.33654f ? 0 : Math.Exp(x), y, units: 1); // no subnormal results
    }

    [Fact]
    public void SigmoidIsOffByLessThanThreeUnits()
    {
        var y = new float[Sweep.Length];
        Exponential.Sigmoid(Sweep, y);
        AssertClose(x => 1 / (1 + Math.Exp(-x)), y, units: 3);
    }

    [Theory]
    [InlineData(float.NegativeInfinity, 0)]
    [InlineData(float.MinValue, 0)]
    [InlineData(-104, 0)]
    [InlineData(-87.33655f, 0)]
    [InlineData(-87.33654f, 1.17549968e-38f)]
    [InlineData(88.72283f, 3.40279851e38f)]
    [InlineData(88.72284f, float.PositiveInfinity)]
    [InlineData(0, 1)]
    [InlineData(89, float.PositiveInfinity)]
    [InlineData(float.MaxValue, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void ExtremesAreExact(float x, float expected)
    {
        var y = new float[1];
        Exponential.Exp([x], y);
        Assert.Equal(expected, y[0]);
    }

    [Fact]
    public void AnElementHasTheSameBitsInRowsOfEveryLength()
    {
        var x = new Values(5).Floats(130, 20);
        var whole = new float[130];
        Exponential.Exp(x, whole);
        for (var length = 1; length <= 130; length++)
        {
            var y = new float[length + 1];
            y[length] = 7;
            Exponential.Exp(x.AsSpan(130 - length), y);
            Assert.Equal(whole[(130 - length)..], y[..length]);
            Assert.Equal(7, y[length]);
        }
    }

    [Fact]
    public void ResultsMayTakeThePlaceOfTheValues()
    {
        var x = new Values(6).Floats(77, 20);
        var y = new float[77];
        Exponential.Sigmoid(x, y);
        Exponential.Sigmoid(x, x);
        Assert.Equal(y, x);
    }

    private static void AssertClose(Func<double, double> expected, float[] actual, double units)
    {
        for (var i = 0; i < Sweep.Length; i++)
        {
            var value = expected(Sweep[i]);
            var unit = MathF.BitIncrement((float)value) - (float)value;
            Assert.True(Math.Abs(actual[i] - value) <= units * unit, $"of {Sweep[i]:R}: {actual[i]:R} where {value:R} was expected");
        }
    }
}
