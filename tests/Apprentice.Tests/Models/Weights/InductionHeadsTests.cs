using System.Text.Json;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Models.Generation;

namespace Apprentice.Tests.Models.Weights;

/// <summary>A model that has seen nothing expects what came after the same token before.</summary>
public sealed class InductionHeadsTests
{
    private const int Vocabulary = 300, Width = 128, Length = 24;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_said_again_is_expected_where_there_are_layers_for_it(int layers)
    {
        var config = new DecoderConfig(Vocabulary, Width, layers, 256, 4, 2, 32, 128, 1e-5f, new RotaryFrequencies(32, 10_000), false, false, true);
        var (again, other) = (0.0, 0.0);
        for (ulong seed = 1; seed <= 4; seed++)
        {
            using var model = ModelLoader.Untrained(config, "m", seed);
            var random = new CounterRandom(seed, RandomStream.Sampling);
            var words = Enumerable.Range(0, 2 * Length).Select(i => random.Below(Vocabulary, (ulong)i)).ToArray();
            again += SecondHalf(model, [.. words[..Length], .. words[..Length]]);
            other += SecondHalf(model, words);
        }

        if (layers > 1)
        {
            Assert.True(again > other + 4 * 0.15, $"{again / 4} and {other / 4}");
        }
        else
        {
            Assert.Equal(other / 4, again / 4, 0.1);
        }
    }

    /// <summary>Mean log-probability of the tokens of the second half.</summary>
    private static double SecondHalf(LanguageModel model, int[] ids)
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        var hidden = model.Forward(tape, new ForwardInput(ids, new Segments([new Segment(0, ids.Length, 0)])));
        var logits = model.Logits(tape, hidden).ToArray();
        return Enumerable.Range(Length, Length - 1).Average(i =>
        {
            var row = logits.AsSpan(i * Vocabulary, Vocabulary).ToArray();
            return row[ids[i + 1]] - Math.Log(row.Sum(l => Math.Exp(l)));
        });
    }
}
