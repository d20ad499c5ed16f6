using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Tensors;

namespace Apprentice.Tests.Models;

/// <summary>An adapter trains on frozen weights of every stored type as on the same weights widened: embedding, layers, output, and back.</summary>
public sealed class StoredTypesTests
{
    private static readonly DecoderConfig Config = TinyModel.Config with
    {
        Vocabulary = 40, Width = 256, Layers = 1, FeedForward = 512, HeadWidth = 64, Rotary = new RotaryFrequencies(64, 10_000),
    };

    public static TheoryData<StorageType> Types => new(Enum.GetValues<StorageType>());

    [Theory]
    [MemberData(nameof(Types))]
    public void Logits_and_gradients_are_those_of_the_widened_weights(StorageType type)
    {
        foreach (var tokens in new[] { 1, 5, 40 }) // a single row, few rows, whole panels
        {
            var ((logits, gradients), (expected, expectedGradients)) = (Run(type, widened: false, tokens), Run(type, widened: true, tokens));
            AssertClose(expected, logits, $"{type} {tokens} tokens: logits");
            AssertClose(expectedGradients, gradients, $"{type} {tokens} tokens: gradients");
        }
    }

    private static (float[] Logits, float[] Gradients) Run(StorageType type, bool widened, int tokens)
    {
        using var model = new Llama(Config, new StoredSource(type, widened));
        var adapter = LoraAdapter.Create(model, new PeftConfig { Rank = 4, Alpha = 8, TargetPattern = PeftConfig.AllLinear }, seed: 3);
        foreach (var b in adapter.Modules.Select(m => adapter.For(m)!.B))
        {
            b.SetValues(new Values(9).Floats(b.Count, 0.05f));
        }

        using var engine = new Engine(2);
        using var tape = new Tape(engine);
        int[] ids = [.. Enumerable.Range(0, tokens).Select(i => i * 7 % Config.Vocabulary)];
        var logits = model.Logits(tape, model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, tokens))) { Adapter = adapter }));
        var values = logits.ToArray();
        tape.Backward(logits, new Values(4).Floats(values.Length));
        return (values, [.. adapter.Weights.SelectMany(w => w.Gradient!.ToArray())]);
    }

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        var largest = expected.Max(Math.Abs);
        Assert.True(largest is > 0 and < 1e6f, $"{what}: nothing to compare, {largest}");
        var furthest = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
        Assert.True(furthest <= 1e-3 * largest, $"{what} differ by {furthest}; the largest is {largest}");
    }

    /// <summary>Random blocks for matrices, ones for norms.</summary>
    private sealed class StoredSource(StorageType type, bool widened) : WeightSource
    {
        public override string Path => "random";

        public override IReadOnlyList<string> Files => [];

        public override bool Has(string name) => true;

        public override Weight Get(string name, params long[] shape)
        {
            if (shape.Length == 1)
            {
                return Weight.FromValues(name, trainable: false, [.. Enumerable.Repeat(1f, (int)shape[0])], shape);
            }

            var stored = new Values((ulong)name.Sum(c => c)).Stored(name, type, (int)shape[0], (int)shape[1]);
            return widened ? stored.Widened(trainable: false) : stored;
        }
    }
}
