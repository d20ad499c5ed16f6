using Apprentice.Data.Batching;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Batching;

public class BatchOrderTests
{
    [Fact]
    public void EveryEpoch_GoesThroughAllExamplesOnce() => Check.QuickThrowOnFailure(Prop.ForAll<byte, byte, ulong>((count, size, seed) =>
    {
        var order = new BatchOrder(1 + count, 1 + size, seed);
        return Enumerable.Range(0, 3).All(epoch => Enumerable.Range(epoch * order.StepsPerEpoch, order.StepsPerEpoch)
            .SelectMany(step => order.Step(step).ToArray()).Order().SequenceEqual(Enumerable.Range(0, order.Count)));
    }));

    [Fact]
    public void Step_DependsOnSeedAndStepAlone()
    {
        var through = new BatchOrder(50, 8, 3);
        var all = Enumerable.Range(0, 21).Select(step => through.Step(step).ToArray()).ToArray();
        Assert.Equal(all[17], new BatchOrder(50, 8, 3).Step(17).ToArray());
        Assert.Equal(all[2], through.Step(2).ToArray());
        Assert.NotEqual(all[0], all[7]); // the next epoch has an order of its own
        Assert.NotEqual(all[0], new BatchOrder(50, 8, 4).Step(0).ToArray());
        Assert.Equal(2, all[6].Length);
    }
}
