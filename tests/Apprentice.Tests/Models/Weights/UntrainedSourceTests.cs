using Apprentice.Models.Weights;

namespace Apprentice.Tests.Models.Weights;

public class UntrainedSourceTests
{
    [Fact]
    public void Weights_are_normal_by_what_they_do_and_norms_are_one()
    {
        using var source = new UntrainedSource("m", layers: 8, seed: 1);
        Assert.All(source.Get("model.norm.weight", 64).ToArray(), v => Assert.Equal(1, v));
        Assert.All(source.Get("model.layers.0.self_attn.q_proj.bias", 64).ToArray(), v => Assert.Equal(0, v));
        Check("model.layers.3.mlp.gate_proj.weight", 0.02);
        Check("model.layers.3.mlp.down_proj.weight", 0.02 / 4);
        Check("model.layers.3.self_attn.o_proj.weight", 0.02 / 4);

        void Check(string name, double deviation)
        {
            var values = source.Get(name, 300, 201).ToArray();
            var mean = values.Average(v => (double)v);
            var spread = Math.Sqrt(values.Average(v => (double)v * v));
            Assert.InRange(mean / deviation, -0.02, 0.02);
            Assert.InRange(spread / deviation, 0.98, 1.02);
            // A normal number lies within one deviation in 68.3% of cases and beyond three in 0.27%.
            Assert.InRange(values.Count(v => Math.Abs(v) < deviation) / (double)values.Length, 0.67, 0.69);
            Assert.InRange(values.Count(v => Math.Abs(v) > 3 * deviation) / (double)values.Length, 0.002, 0.0035);
        }
    }

    [Fact]
    public void A_weight_depends_on_seed_and_name_and_not_on_what_was_asked_before()
    {
        using var one = new UntrainedSource("m", 2, seed: 1);
        using var two = new UntrainedSource("m", 2, seed: 1);
        var a = one.Get("a.weight", 5, 7).ToArray();
        var b = one.Get("b.weight", 5, 7).ToArray();
        Assert.Equal(b, two.Get("b.weight", 5, 7).ToArray());
        Assert.Equal(a, two.Get("a.weight", 5, 7).ToArray());
        Assert.Empty(a.Intersect(b));
        using var other = new UntrainedSource("m", 2, seed: 2);
        Assert.Empty(a.Intersect(other.Get("a.weight", 5, 7).ToArray()));
    }
}
