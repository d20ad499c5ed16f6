using System.Diagnostics;
using System.Runtime.CompilerServices;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Benchmarks;

/// <summary>The float32 rate of multiply-adds that never leave the registers: what any product is measured against.</summary>
internal static unsafe class PeakRate
{
    private const int Accumulators = 12;
    private const int Iterations = 2_000_000;

    /// <summary>
    /// GFLOP/s of the engine's threads together, the best within the time. New threads would now and then begin on one core.
    /// </summary>
    public static double Measure(Engine engine, double seconds)
    {
        var best = 0.0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            var start = Stopwatch.GetTimestamp();
            engine.Team.Run(engine.Threads, default(LoopJob));
            var flops = 2.0 * Accumulators * (int)SimdDetection.Current * Iterations * engine.Threads;
            best = Math.Max(best, flops / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return best;
    }

    private readonly struct LoopJob : IJob
    {
        public void Run(int part, Scratch scratch) => *scratch.Floats(1) = Loop();
    }

    private static float Loop() => SimdDetection.Current switch
    {
        SimdLevel.V512 => Loop<Lanes16>(),
        SimdLevel.V256 => Loop<Lanes8>(),
        SimdLevel.V128 => Loop<Lanes4>(),
        _ => Loop<Lanes1>(),
    };

    /// <summary>Twelve independent chains: enough to hide the latency of every unit there is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop<TLanes>()
        where TLanes : struct, ILanes<TLanes>
    {
        var x = TLanes.Broadcast(0.999f);
        TLanes a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var n = 0; n < Iterations; n++)
        {
            a.AddProduct(x, x);
            b.AddProduct(x, x);
            c.AddProduct(x, x);
            d.AddProduct(x, x);
            e.AddProduct(x, x);
            f.AddProduct(x, x);
            g.AddProduct(x, x);
            h.AddProduct(x, x);
            i.AddProduct(x, x);
            j.AddProduct(x, x);
            k.AddProduct(x, x);
            l.AddProduct(x, x);
        }

        return TLanes.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
