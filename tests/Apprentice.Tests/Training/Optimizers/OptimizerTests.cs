using Apprentice.Data;
using Apprentice.Tensors;
using Apprentice.Tests.Training.Checkpoints;
using Apprentice.Training.Optimizers;

namespace Apprentice.Tests.Training.Optimizers;

public sealed class OptimizerTests : IDisposable
{
    private readonly Engine _engine = new(1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string> Kinds => ["adamw", "sgd", "sgd without momentum", "muon"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Saved_and_loaded_it_goes_on_with_the_same_bits(string kind)
    {
        var (straight, interrupted) = (Weights(), Weights());
        var optimizer = Make(kind, straight);
        Steps(optimizer, 0, 6);
        var before = Make(kind, interrupted);
        Steps(before, 0, 3);
        before.Save(_folder.In("optimizer.safetensors"));
        var after = Make(kind, interrupted);
        after.Load(_folder.In("optimizer.safetensors"));
        Assert.Equal(3, after.Steps);
        Steps(after, 3, 6);
        Assert.All(straight.Zip(interrupted), pair => Assert.Equal(pair.First.ToArray(), pair.Second.ToArray()));
    }

    [Fact]
    public void A_state_of_other_weights_or_another_optimizer_is_refused()
    {
        var file = _folder.In("optimizer.safetensors");
        Make("sgd", Weights()).Save(file);
        Assert.Contains("matrix.exp_avg", Assert.Throws<InputException>(() => Make("adamw", Weights()).Load(file)).Message, StringComparison.Ordinal);
        var other = Make("sgd", [Weight.Zeros("matrix", trainable: true, 3, 3)]);
        Assert.Equal("bad_checkpoint", Assert.Throws<InputException>(() => other.Load(file)).Code);
    }

    [Fact]
    public void Sgd_takes_the_gradient_times_the_rate_and_adds_up_momentum()
    {
        var weight = Weight.FromValues("w", trainable: true, [1f, 2f], 1, 2);
        weight.Gradient!.SetValues([1f, -1f]);
        var sgd = new Sgd(_engine, [weight], momentum: 0.5);
        sgd.Step(0.1);
        Assert.Equal([0.9f, 2.1f], weight.ToArray());
        sgd.Step(0.1, gradientScale: 2); // buffer 0.5 * 1 + 2
        Assert.Equal(0.9 - 0.25, weight.ToArray()[0], 1e-6);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Vectors_are_not_decayed(string kind)
    {
        var weights = Weights();
        var vector = weights[1].ToArray();
        foreach (var weight in weights)
        {
            weight.Gradient!.SetValues(new float[weight.Count]);
        }

        Make(kind, weights, decay: 0.5).Step(0.1);
        Assert.Equal(vector, weights[1].ToArray());
        Assert.NotEqual(Weights()[0].ToArray(), weights[0].ToArray());
    }

    private Optimizer Make(string kind, Weight[] weights, double decay = 0.01) => kind switch
    {
        "adamw" => new AdamW(_engine, weights, new AdamWSettings(WeightDecay: decay)),
        "sgd" => new Sgd(_engine, weights, 0.9, decay),
        "muon" => new Muon(_engine, weights, new HashSet<Weight> { weights[0] }, 0.95, new AdamWSettings(WeightDecay: decay)),
        _ => new Sgd(_engine, weights, 0, decay),
    };

    private static Weight[] Weights() =>
    [
        Weight.FromValues("matrix", trainable: true, [.. Values(0, 6)], 2, 3), Weight.FromValues("vector", trainable: true, [.. Values(1, 4)], 4),
    ];

    private static void Steps(Optimizer optimizer, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            foreach (var weight in optimizer.Weights)
            {
                weight.Gradient!.SetValues([.. Values(step + 7, (int)weight.Count)]);
            }

            optimizer.Step(0.01 * (step + 1), gradientScale: 0.5);
        }
    }

    private static IEnumerable<float> Values(int stream, int count)
    {
        var random = new CounterRandom(3, RandomStream.Initialization, (ulong)stream);
        return Enumerable.Range(0, count).Select(i => (float)random.Uniform((ulong)i) - 0.5f);
    }
}
