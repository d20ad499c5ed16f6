using Apprentice.Data;
using Apprentice.Models.Generation;

namespace Apprentice.Tests.Models.Generation;

public class SamplerTests
{
    private const float Gone = float.NegativeInfinity;

    [Fact]
    public void Greedy_takes_the_lowest_id_of_those_that_tie() => Assert.Equal(1, Sampler.Greedy([1, 3, 3, 2]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_that_are_no_numbers_are_refused(float bad)
    {
        Assert.Throws<ArithmeticException>(() => Sampler.Greedy([1, bad, 2]));
        Assert.Throws<ArithmeticException>(() => Sampler.Draw([1, bad, 2], 0.5));
        Assert.Throws<ArithmeticException>(() => Sampler.Greedy([Gone, Gone]));
    }

    [Fact]
    public void Top_k_keeps_ties_with_the_kth()
    {
        float[] logits = [1, 2, 2, 3, 2, 0];
        LogitsFilters.TopK(logits, 2);
        Assert.Equal([Gone, 2, 2, 3, 2, Gone], logits);
    }

    [Fact]
    public void Top_p_keeps_the_token_that_crosses_p_and_the_lower_id_of_ties()
    {
        float[] logits = [MathF.Log(0.25f), MathF.Log(0.25f), MathF.Log(0.25f), MathF.Log(0.25f)];
        LogitsFilters.TopP(logits, 0.4);
        Assert.Equal([false, false, true, true], logits.Select(float.IsNegativeInfinity));
    }

    [Fact]
    public void Top_p_on_a_large_vocabulary_equals_the_definition()
    {
        var logits = Enumerable.Range(0, 20_000).Select(i => 8 * MathF.Sin(i * 12.9898f) * MathF.Cos(i * 0.37f)).ToArray();
        var weights = logits.Select(l => Math.Exp(l)).ToArray();
        var p = 0.9 * weights.Sum();
        double before = 0;
        var kept = new HashSet<int>();
        foreach (var id in Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).TakeWhile(_ => before < p))
        {
            kept.Add(id);
            before += weights[id];
        }

        LogitsFilters.TopP(logits, 0.9);
        Assert.InRange(kept.Count, 100, 19_000);
        Assert.Equal(kept.Order(), Enumerable.Range(0, logits.Length).Where(i => !float.IsNegativeInfinity(logits[i])));
    }

    [Fact]
    public void Drawing_follows_the_probabilities()
    {
        float[] logits = [MathF.Log(0.2f), Gone, MathF.Log(0.5f), MathF.Log(0.3f)];
        var counts = new int[4];
        for (var i = 0; i < 1000; i++)
        {
            counts[Sampler.Draw(logits, (i + 0.5) / 1000)]++;
        }

        Assert.Equal([200, 0, 500, 300], counts);
        Assert.Equal(0, Sampler.Draw(logits, 0));
        Assert.Equal(3, Sampler.Draw(logits, Math.BitDecrement(1.0)));
    }

    [Fact]
    public void Greedy_options_ignore_the_uniform_but_apply_the_penalty()
    {
        var options = new SamplingOptions { RepetitionPenalty = 2 };
        Assert.Equal(1, Sampler.Next([3, 2, 1], [0, 0], options, 0.99));
        Assert.Equal(0, Sampler.Next([3, 1, 1], [0, 0], options, 0.99));
    }

    [Fact]
    public void A_tiny_temperature_is_greedy() =>
        Assert.Equal(2, Sampler.Next([1, 2, 90], [], new SamplingOptions { Temperature = 1e-300 }, 0));

    public static TheoryData<string, SamplingOptions> BadOptions => new()
    {
        { "temperature", new SamplingOptions { Temperature = -0.1 } },
        { "temperature", new SamplingOptions { Temperature = double.NaN } },
        { "top-k", new SamplingOptions { TopK = -1 } },
        { "top-p", new SamplingOptions { TopP = 0 } },
        { "top-p", new SamplingOptions { TopP = 1.5 } },
        { "min-p", new SamplingOptions { MinP = 2 } },
        { "repetition-penalty", new SamplingOptions { RepetitionPenalty = 0 } },
        { "max-tokens", new SamplingOptions { MaxTokens = 0 } },
        { "stop", new SamplingOptions { Stop = [""] } },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void Bad_options_are_named(string option, SamplingOptions options)
    {
        var error = Assert.Throws<InputException>(options.Validate);
        Assert.StartsWith(option + " is ", error.Message, StringComparison.Ordinal);
        new SamplingOptions().Validate();
    }
}
