using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors;

/// <summary>
/// What operations run on: a team of threads, an arena for activations, and the instruction set. One engine serves one
/// caller at a time; results do not depend on the number of threads.
/// </summary>
public sealed class Engine : IDisposable
{
    /// <param name="threads">Workers including the caller; by default one a core.</param>
    public Engine(int? threads = null) => Team = new WorkerTeam(threads ?? Environment.ProcessorCount);

    public int Threads => Team.Threads;

    /// <summary>The widest vectors in use. The bits of results depend on it.</summary>
    public SimdLevel Simd { get; } = SimdDetection.Current;

    /// <summary>Activations and gradients.</summary>
    public Arena Arena { get; } = new();

    internal WorkerTeam Team { get; }

    public void Dispose()
    {
        Team.Dispose();
        Arena.Dispose();
    }
}
