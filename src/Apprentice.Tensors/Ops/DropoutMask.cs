using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>
/// Which entries dropout keeps, as a pure function of a key and the entry's index, so that backward and a resumed run
/// see the same mask without storing it.
/// </summary>
/// <param name="Probability">Of dropping an entry, in [0, 1).</param>
/// <param name="Key">Mixes seed, step, micro-batch and place in the model.</param>
public readonly record struct DropoutMask(float Probability, ulong Key)
{
    /// <summary>The mask of another step or place.</summary>
    public DropoutMask At(ulong place) => this with { Key = Mix(Key ^ Mix(place)) };

    /// <summary>values[i] = kept ? values[i] / (1 - p) : 0, for entries first.. of the whole tensor.</summary>
    internal void Apply(Span<float> values, long first)
    {
        var threshold = (ulong)(Probability * (double)(1UL << 53));
        var scale = 1 / (1 - Probability);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Mix(Key + (ulong)(first + i) * 0x9E3779B97F4A7C15UL) >> 11 >= threshold ? values[i] * scale : 0;
        }
    }

    /// <summary>to = from with dropped entries as zeros and the others scaled, for a whole tensor; may be the same memory.</summary>
    internal unsafe void Apply(Engine engine, float* from, float* to, int rows, int columns) =>
        engine.Team.Run(RowParts.Count(rows), new ApplyJob(this, from, to, rows, columns));

    private readonly unsafe struct ApplyJob(DropoutMask mask, float* from, float* to, int rows, int columns) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            foreach (var r in RowParts.Rows(part, rows))
            {
                var at = (long)r * columns;
                var row = new Span<float>(to + at, columns);
                new ReadOnlySpan<float>(from + at, columns).CopyTo(row);
                mask.Apply(row, at);
            }
        }
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood 2014).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
