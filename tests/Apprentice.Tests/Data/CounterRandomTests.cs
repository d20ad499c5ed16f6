using Apprentice.Data;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data;

public class CounterRandomTests
{
    /// <summary>Known answers of philox4x32-10, published with Random123 (Salmon et al.).</summary>
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdcceb, 0x5001e420u, 0x24126ea1u)]
    public void Philox_GivesThePublishedNumbers(uint x0, uint x1, uint x2, uint x3, uint k0, uint k1, uint e0, uint e1, uint e2, uint e3) =>
        Assert.Equal((e0, e1, e2, e3), CounterRandom.Philox(x0, x1, x2, x3, k0, k1));

    [Fact]
    public void Permutation_HasEveryNumberOnce() => Check.QuickThrowOnFailure(Prop.ForAll<ulong, byte>((seed, count) =>
        new CounterRandom(seed, RandomStream.EpochOrder).Permutation(count).Order().SequenceEqual(Enumerable.Range(0, count))));

    [Fact]
    public void Permutation_IsUniform()
    {
        var counts = new Dictionary<string, int>();
        for (var epoch = 0UL; epoch < 6000; epoch++)
        {
            var order = string.Join(',', new CounterRandom(7, RandomStream.EpochOrder, epoch).Permutation(3));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 850, 1150)); // 1000, standard deviation 29
    }

    [Fact]
    public void SeedStreamIndexAndPosition_AllMatter()
    {
        ulong[] drawn =
        [
            new CounterRandom(1, RandomStream.Split).UInt64(0),
            new CounterRandom(2, RandomStream.Split).UInt64(0),
            new CounterRandom(1, RandomStream.Dropout).UInt64(0),
            new CounterRandom(1, RandomStream.Split, 1).UInt64(0),
            new CounterRandom(1, RandomStream.Split).UInt64(1),
            new CounterRandom(1, RandomStream.Split).UInt64(1UL << 32),
        ];
        Assert.Equal(drawn.Length, drawn.Distinct().Count());
        Assert.Equal(drawn[0], new CounterRandom(1, RandomStream.Split).UInt64(0));
    }

    [Fact]
    public void Uniform_FillsTheUnitInterval()
    {
        var random = new CounterRandom(3, RandomStream.Sampling);
        var drawn = Enumerable.Range(0, 10_000).Select(i => random.Uniform((ulong)i)).ToArray();
        Assert.All(drawn, value => Assert.InRange(value, 0, 1 - 1e-16));
        Assert.InRange(drawn.Average(), 0.49, 0.51);
    }
}
