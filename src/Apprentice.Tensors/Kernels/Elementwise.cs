using System.Numerics.Tensors;

namespace Apprentice.Tensors.Kernels;

/// <summary>Sums and copies of whole tensors on all workers; each element by itself, so threads do not matter.</summary>
internal static unsafe class Elementwise
{
    private const int ElementsPerPart = 1 << 15;

    /// <summary>sum += x.</summary>
    public static void Add(Engine engine, float* x, float* sum, long count) => engine.Team.Run(Parts(count), new AddJob(x, sum, count));

    /// <summary>copy = x.</summary>
    public static void Copy(Engine engine, float* x, float* copy, long count) => engine.Team.Run(Parts(count), new CopyJob(x, copy, count));

    private static int Parts(long count) => checked((int)((count + ElementsPerPart - 1) / ElementsPerPart));

    private static Span<float> Part(float* values, int part, long count) =>
        new(values + (long)part * ElementsPerPart, (int)Math.Min(ElementsPerPart, count - (long)part * ElementsPerPart));

    private readonly struct AddJob(float* x, float* sum, long count) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var to = Part(sum, part, count);
            TensorPrimitives.Add(to, Part(x, part, count), to);
        }
    }

    private readonly struct CopyJob(float* x, float* copy, long count) : IJob
    {
        public void Run(int part, Scratch scratch) => Part(x, part, count).CopyTo(Part(copy, part, count));
    }
}
