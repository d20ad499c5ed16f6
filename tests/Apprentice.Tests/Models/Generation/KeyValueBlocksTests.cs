using Apprentice.Data;
using Apprentice.Models.Generation;

namespace Apprentice.Tests.Models.Generation;

public sealed class KeyValueBlocksTests
{
    private static readonly int[] First = [.. Enumerable.Range(0, KeyValueBlocks.Tokens)];
    private static readonly int[] Second = [.. Enumerable.Range(100, KeyValueBlocks.Tokens)];

    [Fact]
    public void Content_is_the_tokens_and_all_before_them()
    {
        var first = new BlockContent(null, First, 0);
        Assert.Equal(new BlockContent(first, Second, 0), new BlockContent(new BlockContent(null, First, 0), Second, 0));
        Assert.NotEqual(new BlockContent(null, Second, 0), new BlockContent(first, Second, 0));
        Assert.NotEqual(new BlockContent(first, Second, 0), new BlockContent(first, First, 0));
        Assert.NotEqual(new BlockContent(null, First, 0), new BlockContent(null, First, 1));
    }

    [Fact]
    public void A_published_block_is_found_until_its_room_is_needed()
    {
        var blocks = new KeyValueBlocks(2);
        var (one, two) = (new BlockContent(null, First, 0), new BlockContent(null, Second, 0));
        var block = blocks.Take();
        blocks.Publish(block, one);
        blocks.Release(block);
        Assert.Equal((2, 1), (blocks.Free, blocks.Held));
        Assert.Same(block, blocks.Find(one));
        var other = blocks.Take(); // the empty one, for the known one is in use
        Assert.NotSame(block, other);
        blocks.Publish(other, two);
        blocks.Release(other);
        blocks.Release(block); // used after the other: it stays longer
        Assert.Same(other, blocks.Take());
        Assert.Null(blocks.Find(two));
        Assert.Same(block, blocks.Find(one));
    }

    /// <summary>Any sequence of calls: nobody gets a block that another writes or reads, and in the end all are free.</summary>
    [Fact]
    public void A_block_in_use_is_never_given_to_another()
    {
        for (var run = 0; run < 50; run++)
        {
            var random = new CounterRandom((ulong)run, RandomStream.Sampling);
            var blocks = new KeyValueBlocks(8);
            var writing = new HashSet<KeyValueBlock>();
            var held = new List<(KeyValueBlock Block, BlockContent? Content)>();
            for (var step = 0; step < 300; step++)
            {
                var content = new BlockContent(null, First.Select(t => t + random.Below(12, (ulong)(4 * step))).ToArray(), 0);
                switch (random.Below(3, (ulong)(4 * step + 1)))
                {
                    case 0 when blocks.Free > 0:
                        var taken = blocks.Take();
                        Assert.DoesNotContain(held, h => h.Block == taken);
                        if (random.Below(2, (ulong)(4 * step + 2)) == 0)
                        {
                            blocks.Publish(taken, content);
                        }

                        held.Add((taken, taken.Content));
                        break;
                    case 1 when blocks.Find(content) is { } found:
                        Assert.Equal(content, found.Content);
                        held.Add((found, content));
                        break;
                    case 2 when held.Count > 0:
                        var i = random.Below(held.Count, (ulong)(4 * step + 3));
                        Assert.Equal(held[i].Content, held[i].Block.Content); // it kept what it was taken for
                        blocks.Release(held[i].Block);
                        held.RemoveAt(i);
                        break;
                }

                Assert.Equal(blocks.Count - held.Select(h => h.Block).Distinct().Count(), blocks.Free);
            }

            held.ForEach(h => blocks.Release(h.Block));
            Assert.Equal(blocks.Count, blocks.Free);
        }
    }
}
