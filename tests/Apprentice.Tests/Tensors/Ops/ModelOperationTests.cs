using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;

namespace Apprentice.Tests.Tensors.Ops;

/// <summary>Forms of operations that some architectures need, against doubles and central differences.</summary>
public sealed class ModelOperationTests
{
    [Fact]
    public void Scaling()
    {
        var check = new GradientCheck(31);
        check.Input(21, 13);
        check.Run((tape, x) => Scale.Apply(tape, x[0], -1.7f));
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        Assert.Equal([-3f, 6f], Scale.Apply(tape, tape.Constant([1, -2], 1, 2), -3).ToArray());
    }

    [Fact]
    public void Splitting_columns()
    {
        var check = new GradientCheck(32);
        check.Input(19, 12);
        check.Run((tape, x) =>
        {
            var parts = SplitColumns.Apply(tape, x[0], 5, 2, 5);
            return Residual.Add(tape, parts[2], GatedActivation.Apply(tape, parts[0], parts[2], Activation.Silu));
        });
        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        var split = SplitColumns.Apply(tape, tape.Constant([1, 2, 3, 4, 5, 6], 2, 3), 1, 2);
        Assert.Equal([1f, 4], split[0].ToArray());
        Assert.Equal([2f, 3, 5, 6], split[1].ToArray());
        Assert.Throws<ArgumentException>(() => SplitColumns.Apply(tape, tape.Constant([1, 2, 3], 1, 3), 1, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Normalising_each_head(float offset)
    {
        var check = new GradientCheck(33);
        check.Input(17, 24);
        var weight = check.Trained("w", 1, 8);
        check.Run((tape, x) => RmsNorm.Apply(tape, x[0], weight, 1e-3f, offset));
        using var engine = new Engine(1);
        using var tape = new Tape(engine);
        var values = check.Values.Floats(24);
        var normed = RmsNorm.Apply(tape, tape.Constant(values, 1, 24), weight, 1e-3f, offset).ToArray();
        for (var i = 0; i < 24; i++)
        {
            var mean = values.Skip(i / 8 * 8).Take(8).Average(v => (double)v * v);
            Assert.Equal((weight.ToArray()[i % 8] + offset) * values[i] / Math.Sqrt(mean + 1e-3), normed[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(StorageType.F32)]
    [InlineData(StorageType.BF16)]
    [InlineData(StorageType.Q8_0)]
    public void A_turned_weight_has_its_values_the_other_way_round(StorageType type)
    {
        var weight = new Values(35).Stored("w", type, 5, 64);
        var (values, turned) = (weight.ToArray(), weight.Turned());
        Assert.Equal(type == StorageType.BF16 ? type : StorageType.F32, turned.Type);
        Assert.Equal(Enumerable.Range(0, 320).Select(i => values[(i % 5 * 64) + (i / 5)]), turned.ToArray());
    }

    [Theory]
    [InlineData(50, 12, 23)]
    [InlineData(4099, 12, 23)] // three chunks of the vocabulary
    [InlineData(7, 2, 2050)] // two chunks of rows
    public void Token_log_probabilities_with_a_soft_cap(int vocabulary, int width, int count)
    {
        var check = new GradientCheck(36);
        check.Input(11, width);
        var head = check.Trained("head", 1, vocabulary, width);
        var sources = Enumerable.Range(0, count).Select(i => i * 7 % 9).ToArray();
        var targets = Enumerable.Range(0, count).Select(i => i * 373 % vocabulary).ToArray();
        check.Run((tape, x) => TokenLogProbabilities.Apply(tape, x[0], head, sources, targets, softcap: 1.5f), entries: 60);

        using var engine = new Engine(1);
        using var tape = new Tape(engine);
        var hidden = check.Values.Floats(11 * width);
        var logits = Softcap.Apply(tape, Linear.Apply(tape, tape.Constant(hidden, 11, width), head), 1.5f).ToArray();
        var values = TokenLogProbabilities.Apply(tape, tape.Constant(hidden, 11, width), head, sources, targets, softcap: 1.5f).ToArray();
        for (var i = 0; i < count; i++)
        {
            var row = logits.Skip(sources[i] * vocabulary).Take(vocabulary).Select(l => (double)l).ToArray();
            Assert.Equal(row[targets[i]] - Math.Log(row.Sum(Math.Exp)), values[3 * i], 1e-4);
        }
    }
}
