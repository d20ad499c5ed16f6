using Apprentice.Data.Batching;
using Apprentice.Training;

namespace Apprentice.Tests.Training;

public class TrainingWorkTests
{
    /// <summary>30 layers of width 576, keys and values of 192, feed-forward 1536, vocabulary 49,152, rank 16.</summary>
    private static readonly TrainingWork Small = new(
        30 * (2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536),
        30 * 16 * (2 * (576 + 576) + 2 * (576 + 192) + 3 * (576 + 1536)),
        49_152 * 576,
        30 * 576);

    [Fact]
    public void A_token_of_SmolLM2_135M_costs_what_its_shapes_say()
    {
        Assert.Equal(0.454e9, Small.FlopsPerToken, 0.001e9);
        Assert.Equal(0.113e9, Small.FlopsPerTarget, 0.001e9);
        Assert.Equal(0.027e9, Small.Flops(256, 256 * 257 / 2, 0) / 256 - Small.FlopsPerToken, 0.001e9);
    }

    [Fact]
    public void A_shared_beginning_counts_once_but_is_seen_by_all()
    {
        var one = new TokenizedExample([.. Enumerable.Range(0, 20)], [.. Enumerable.Range(0, 20).Select(i => i < 15 ? 0f : 1f)]);
        var other = one with { Ids = [.. one.Ids[..10], .. Enumerable.Range(50, 10)] };
        var apart = Batch.Pack([one, other]);
        var together = Batch.Pack([one, other], sharePrefixes: true);
        Assert.Equal(Small.Flops(40, 2 * 210, 10), Small.Flops(apart));
        Assert.Equal(Small.Flops(30, 2 * 210 - 55, 10), Small.Flops(together));
    }
}
