using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

public sealed unsafe class RowsTests
{
    [Fact]
    public void ReductionsOfEveryLengthAndAlignment()
    {
        for (var count = 1; count <= 130; count++)
        {
            var values = new Values((ulong)count);
            var (x, y) = (values.Floats(count), values.Floats(count));
            var dot = x.Zip(y, (a, b) => (double)a * b).Sum();
            var sum = x.Sum(a => (double)a);
            var logSumExp = Math.Log(x.Sum(a => Math.Exp(a)));
            var first = (Dot: float.NaN, Sum: float.NaN);
            var memory = new float[3 * count + 16];
            for (var offset = 0; offset < 16; offset++)
            {
                fixed (float* p = memory)
                {
                    float* px = p + offset, py = px + count, work = py + count;
                    x.CopyTo(new Span<float>(px, count));
                    y.CopyTo(new Span<float>(py, count));
                    var now = (Rows.Dot(px, py, count), Rows.Sum(px, count));
                    if (offset == 0)
                    {
                        first = now;
                        Assert.Equal(dot, first.Dot, 5e-6);
                        Assert.Equal(sum, first.Sum, 5e-6);
                        Assert.Equal(logSumExp, Rows.LogSumExp(px, count, work), 3e-6);
                        Assert.Equal(x, new Span<float>(px, count).ToArray());
                        Rows.AddScaled(0.5f, px, py, count);
                        for (var i = 0; i < count; i++)
                        {
                            Assert.Equal(y[i] + 0.5f * x[i], py[i], 1e-6f);
                        }
                    }

                    Assert.Equal(first, now);
                }
            }
        }
    }

    [Fact]
    public void DotsAreTheDotOfEachRow()
    {
        const int Rows = 3, Apart = 7;
        for (var count = 1; count <= 130; count++)
        {
            var values = new Values((ulong)count);
            var (x, y, to) = (values.Floats(Rows * (count + 2)), values.Floats(count), new float[Rows * Apart]);
            fixed (float* px = x, py = y, pt = to)
            {
                Apprentice.Tensors.Kernels.Rows.Dots(px, count + 2, Rows, py, count, pt, Apart);
                for (var r = 0; r < Rows; r++)
                {
                    Assert.Equal(Apprentice.Tensors.Kernels.Rows.Dot(px + r * (count + 2), py, count), to[r * Apart]);
                }
            }
        }
    }

    [Fact]
    public void LogSumExpOfHugeAndMissingEntries()
    {
        var x = new[] { 10_000f, 10_000f, float.NegativeInfinity, -10_000f };
        var work = new float[4];
        fixed (float* px = x, pw = work)
        {
            Assert.Equal(10_000 + MathF.Log(2), Rows.LogSumExp(px, 4, pw), 1e-3f);
            Assert.Equal(float.NegativeInfinity, Rows.LogSumExp(px + 2, 1, pw));
            x[3] = float.NaN;
            Assert.True(float.IsNaN(Rows.LogSumExp(px, 4, pw)));
        }
    }
}
