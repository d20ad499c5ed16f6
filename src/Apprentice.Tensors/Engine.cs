using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Kernels.OneDnn;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors;

/// <summary>
/// What operations run on: a team of threads, an arena for activations, and the instruction set. One engine serves one
/// caller at a time; results do not depend on the number of threads.
/// </summary>
public sealed class Engine : IDisposable
{
    /// <param name="threads">Workers including the caller; by default, and for 0, one a core.</param>
    /// <param name="simd">Narrower vectors than the machine has, for example to repeat a run of another machine.</param>
    /// <param name="accelerate">
    /// Whether oneDNN multiplies by large matrices in bfloat16 where it is installed and the CPU has the instructions.
    /// Without, everything works in float32.
    /// </param>
    /// <exception cref="ArgumentException">The machine, or its DOTNET_Enable… switches, does not allow such vectors.</exception>
    public Engine(int? threads = null, SimdLevel? simd = null, bool accelerate = false)
    {
        if (simd > SimdDetection.Current)
        {
            throw new ArgumentException($"{simd} vectors were asked for; here the widest are {SimdDetection.Current}", nameof(simd));
        }

        Simd = simd ?? SimdDetection.Current;
        Team = new WorkerTeam(threads is null or 0 ? Environment.ProcessorCount : threads.Value);
        var why = "it is switched off";
        BFloat16 = accelerate ? Kernels.OneDnn.Accelerator.TryCreate(out why) : null;
        WhyNoAccelerator = why;
    }

    internal Engine(int threads, Accelerator accelerator)
        : this(threads)
    {
        BFloat16 = accelerator;
        WhyNoAccelerator = null;
    }

    public int Threads => Team.Threads;

    /// <summary>The widest vectors in use. The bits of results depend on it.</summary>
    public SimdLevel Simd { get; }

    /// <summary>What multiplies by large matrices in place of our own kernels, or <c>none</c>. The bits of results depend on it.</summary>
    public string Accelerator => BFloat16?.Name ?? "none";

    /// <summary>Why there is no accelerator, or null where there is one.</summary>
    public string? WhyNoAccelerator { get; }

    /// <summary>
    /// Whether each row of a product has the same bits whatever other rows are worked out with it, so that an answer does not
    /// depend on who else is served. Without, up to eight rows take a faster way that adds in another order.
    /// </summary>
    public bool BatchInvariant { get; init; }

    /// <summary>Activations and gradients.</summary>
    public Arena Arena { get; } = new();

    internal WorkerTeam Team { get; }

    internal Accelerator? BFloat16 { get; }

    public void Dispose()
    {
        Team.Dispose();
        BFloat16?.Dispose();
        Arena.Dispose();
    }
}
