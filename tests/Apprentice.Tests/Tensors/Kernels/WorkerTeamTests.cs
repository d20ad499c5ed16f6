using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

public sealed class WorkerTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void RunsEachPartOnce(int threads)
    {
        using var team = new WorkerTeam(threads);
        foreach (var parts in new[] { 0, 1, 2, 3, 7, 64, 1000 })
        {
            var counts = new int[parts];
            team.Run(parts, new Count(counts));
            Assert.All(counts, c => Assert.Equal(1, c));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void RethrowsAndGoesOn(int threads)
    {
        using var team = new WorkerTeam(threads);
        for (var round = 0; round < 20; round++)
        {
            foreach (var parts in new[] { 1, 5, 100 })
            {
                Assert.Equal("part 0", Assert.Throws<InvalidDataException>(() => team.Run(parts, default(Fail))).Message);
            }

            var counts = new int[50];
            team.Run(counts.Length, new Count(counts));
            Assert.All(counts, c => Assert.Equal(1, c));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void TenThousandEmptyRunsAlsoAfterParking(int threads)
    {
        using var team = new WorkerTeam(threads);
        var counts = new int[threads];
        for (var run = 0; run < 10_000; run++)
        {
            team.Run(counts.Length, new Count(counts));
            if (run % 500 == 0)
            {
                Thread.Sleep(5); // long enough for the workers to park
            }
        }

        Assert.All(counts, c => Assert.Equal(10_000, c));
    }

    [Fact]
    public void ScratchKeepsItsMemoryAndGrows()
    {
        using var team = new WorkerTeam(2);
        for (var floats = 1; floats < 100_000; floats *= 3)
        {
            team.Run(16, new Fill(floats));
        }
    }

    private readonly struct Count(int[] counts) : IJob
    {
        public void Run(int part, Scratch scratch) => Interlocked.Increment(ref counts[part]);
    }

    private readonly struct Fail : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            if (part == 0)
            {
                throw new InvalidDataException("part 0");
            }
        }
    }

    private readonly unsafe struct Fill(int floats) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var span = new Span<float>(scratch.Floats(floats), floats);
            span.Fill(part);
            Assert.Equal(-1, span.IndexOfAnyExcept((float)part));
        }
    }
}
