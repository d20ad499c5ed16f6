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
    /// <param name="simd">Narrower vectors than the machine has, for example to repeat a run of another machine.</param>
    /// <exception cref="ArgumentException">The machine, or its DOTNET_Enable… switches, does not allow such vectors.</exception>
    public Engine(int? threads = null, SimdLevel? simd = null)
    {
        if (simd > SimdDetection.Current)
        {
            throw new ArgumentException($"{simd} vectors were asked for; here the widest are {SimdDetection.Current}", nameof(simd));
        }

        Simd = simd ?? SimdDetection.Current;
        Team = new WorkerTeam(threads ?? Environment.ProcessorCount);
    }

    public int Threads => Team.Threads;

    /// <summary>The widest vectors in use. The bits of results depend on it.</summary>
    public SimdLevel Simd { get; }

    /// <summary>Activations and gradients.</summary>
    public Arena Arena { get; } = new();

    internal WorkerTeam Team { get; }

    public void Dispose()
    {
        Team.Dispose();
        Arena.Dispose();
    }
}
