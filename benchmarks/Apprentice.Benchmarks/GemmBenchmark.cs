using System.Diagnostics;
using System.Globalization;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Memory;

namespace Apprentice.Benchmarks;

/// <summary>
/// x Wᵀ (forward) and dy W (backward) in GFLOP/s and against the peak measured just before, and packing alone. The best
/// of many runs, since other work may share the machine.
/// </summary>
internal static unsafe class GemmBenchmark
{
    private static readonly (int M, int N, int K)[] Shapes = [(1024, 1536, 576), (2048, 2048, 2048)];

    public static void Run(double seconds)
    {
        Print($"{SimdDetection.Current}, {Environment.ProcessorCount} cores");
        foreach (var threads in new[] { 1, 2 })
        {
            using var engine = new Engine(threads);
            foreach (var (m, n, k) in Shapes)
            {
                var peak = PeakRate.Measure(threads, seconds);
                Print($"{threads} thread(s), ({m}, {n}, {k}), peak {peak:0}");
                foreach (var type in new[] { StorageType.F32, StorageType.Q4_1 })
                {
                    foreach (var transposed in new[] { true, false })
                    {
                        Product(engine, m, n, k, type, transposed, peak, seconds);
                    }
                }
            }
        }
    }

    private static void Product(Engine engine, int m, int n, int k, StorageType type, bool transposed, double peak, double seconds)
    {
        using var stored = new NativeBuffer(BlockFormats.RowBytes(type, k) * n);
        var weight = transposed
            ? new Weight("w", type, [n, k], stored, (byte*)stored.Floats)
            : new Weight("w", type, [k, n], stored, (byte*)stored.Floats);
        using var a = new NativeBuffer((long)m * k * sizeof(float));
        using var c = new NativeBuffer((long)m * n * sizeof(float));
        var operand = new Operand(weight, transposed);
        var product = Best(seconds, () => Gemm.Run(engine, m, n, k, a.Floats, k, 1, operand, c.Floats, n, accumulate: false));
        const int Width = 64;
        using var panels = new NativeBuffer((long)k * (n + Width) * sizeof(float));
        using var staging = new NativeBuffer(Operand.StagingFloats(Width) * sizeof(float));
        var packing = Best(seconds / 2, () =>
        {
            for (var j = 0; j < n; j += Width)
            {
                operand.Pack(j, Math.Min(Width, n - j), 0, k, Width, panels.Floats + (long)j * k, staging.Floats);
            }
        });
        var rate = 2.0 * m * n * k / product / 1e9;
        Print($"  {type,-5} {(transposed ? "x Wᵀ" : "dy W")}  {rate,6:0} GFLOP/s  {rate / peak,5:0.00} of peak  packing alone, one thread {packing * 1e3:0.00} ms of {product * 1e3:0.00}");
    }

    private static double Best(double seconds, Action action)
    {
        action();
        var best = double.MaxValue;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
