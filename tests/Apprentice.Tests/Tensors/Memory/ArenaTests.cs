using Apprentice.Tensors.Memory;

namespace Apprentice.Tests.Tensors.Memory;

public sealed unsafe class ArenaTests
{
    private const long SlabFloats = 64L << 20;

    [Fact]
    public void RentedBlocksNeverOverlapAndAllMemoryJoinsAgain()
    {
        for (var seed = 1UL; seed <= 20; seed++)
        {
            using var arena = new Arena();
            var values = new Values(seed);
            var start = arena.Rent(1);
            arena.Return(start);
            var live = new List<(nint Memory, int Floats)>();
            var expectedBytes = 0L;
            for (var i = 0; i < 2_000; i++)
            {
                if (live.Count == 0 || values.Below(100) < 55)
                {
                    var floats = 1 + values.Below(values.Below(10) == 0 ? 100_000 : 300);
                    var memory = (nint)arena.Rent(floats);
                    Assert.Equal(0, memory % 64);
                    Assert.All(live, l => Assert.True(memory >= l.Memory + l.Floats * 4L || memory + floats * 4L <= l.Memory));
                    live.Add((memory, floats));
                    expectedBytes += (floats + 15) / 16 * 64;
                }
                else
                {
                    var at = values.Below(live.Count);
                    arena.Return((float*)live[at].Memory);
                    expectedBytes -= (live[at].Floats + 15) / 16 * 64;
                    live.RemoveAt(at);
                }

                Assert.Equal(expectedBytes, arena.LiveBytes);
                Assert.True(arena.PeakBytes >= arena.LiveBytes);
            }

            foreach (var (memory, _) in live)
            {
                arena.Return((float*)memory);
            }

            Assert.Equal(0, arena.LiveBytes);
            Assert.Equal((nint)start, (nint)arena.Rent(SlabFloats)); // the whole slab is one stretch again
        }
    }

    [Fact]
    public void MoreThanASlabFitsAndForeignMemoryIsRefused()
    {
        using var arena = new Arena();
        var small = arena.Rent(10);
        var large = arena.Rent(SlabFloats + 5);
        large[SlabFloats + 4] = 1;
        Assert.Throws<InvalidOperationException>(() => arena.Return(small + 16));
        arena.Return(large);
        Assert.Throws<InvalidOperationException>(() => arena.Return(large));
        arena.Return(small);
        Assert.Equal(0, arena.LiveBytes);
    }
}
