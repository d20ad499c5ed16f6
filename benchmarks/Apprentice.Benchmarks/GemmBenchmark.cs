using System.Diagnostics;
using System.Globalization;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Memory;

namespace Apprentice.Benchmarks;

/// <summary>
/// Matrix products x Wᵀ and dy W against the peak, as a table. Peak and products take turns within each round, since other
/// work on the machine and its clock move both; every figure is a median over the rounds.
/// </summary>
internal static unsafe class GemmBenchmark
{
    private const int Rounds = 5;

    /// <summary>A product of so many operations varies little, and takes a second.</summary>
    private const double Large = 1e11;
    private const int LargeRounds = 3;

    /// <summary>A short product is repeated for so long.</summary>
    private const double Seconds = 0.01;

    private static readonly StorageType[] Stored = [StorageType.F32, StorageType.BF16, StorageType.Q8_0, StorageType.Q4_0, StorageType.Q4_1];

    private static readonly (int M, int N, int K, StorageType[] Types)[] Shapes =
    [
        .. new[] { 64, 128, 256, 512, 1024, 4096 }.Select(size => (size, size, size, new[] { StorageType.F32 })),
        (1024, 1536, 576, Stored),
        (2048, 2048, 2048, Stored),
    ];

    public static void Run(Options options)
    {
        var threadCounts = options.Integer("threads", 0) is > 0 and var one ? [one] : new[] { 1, 2 };
        Print($"{SimdDetection.Current}, {Environment.ProcessorCount} cores");
        Print($"");
        Print($"| threads | M, N, K | weights | peak P, GFLOP/s | x Wᵀ, GFLOP/s | of P | time over F32's | dy W, of P |");
        Print($"| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var threads in threadCounts)
        {
            using var engine = new Engine(threads);
            foreach (var (m, n, k, types) in Shapes)
            {
                Measure(engine, m, n, k, types);
            }
        }
    }

    private static void Measure(Engine engine, int m, int n, int k, StorageType[] types)
    {
        var flops = 2.0 * m * n * k / 1e9;
        var products = types.Select(type => (Forward: new Product(engine, m, n, k, type, transposed: true), Backward: new Product(engine, m, n, k, type, transposed: false))).ToArray();
        var count = flops * 1e9 < Large ? Rounds : LargeRounds;
        var rounds = new (double Peak, double Forward, double Backward)[types.Length, count];
        for (var round = -1; round < count; round++)
        {
            for (var t = 0; t < types.Length; t++)
            {
                var before = PeakRate.Measure(engine, Seconds);
                var forward = products[t].Forward.Time();
                var backward = products[t].Backward.Time();
                if (round >= 0)
                {
                    rounds[t, round] = ((before + PeakRate.Measure(engine, Seconds)) / 2, forward, backward);
                }
            }
        }

        for (var t = 0; t < types.Length; t++)
        {
            var own = Enumerable.Range(0, count).Select(r => rounds[t, r]).ToArray();
            var slower = Figures.Median(Enumerable.Range(0, count).Select(r => rounds[t, r].Forward / rounds[0, r].Forward));
            Print($"| {engine.Threads} | {m}, {n}, {k} | {types[t]} | {Figures.Median(own.Select(x => x.Peak)):0} | {Figures.Median(own.Select(x => flops / x.Forward)):0} | {Figures.Median(own.Select(x => flops / x.Forward / x.Peak)):0.00} | {slower:0.00} | {Figures.Median(own.Select(x => flops / x.Backward / x.Peak)):0.00} |");
            products[t].Forward.Dispose();
            products[t].Backward.Dispose();
        }
    }

    /// <summary>One product and its matrices.</summary>
    private sealed class Product : IDisposable
    {
        private readonly Engine _engine;
        private readonly (int M, int N, int K) _shape;
        private readonly NativeBuffer _stored, _a, _c;
        private readonly Operand _operand;

        public Product(Engine engine, int m, int n, int k, StorageType type, bool transposed)
        {
            (_engine, _shape) = (engine, (m, n, k));
            var (rows, columns) = transposed ? (n, k) : (k, n);
            _stored = new NativeBuffer(BlockFormats.RowBytes(type, columns) * rows);
            _a = new NativeBuffer((long)m * k * sizeof(float));
            _c = new NativeBuffer((long)m * n * sizeof(float));
            _operand = new Operand(new Weight("w", type, [rows, columns], _stored, (byte*)_stored.Floats), transposed);
        }

        /// <summary>Seconds of one product, from as many as fit into the time.</summary>
        public double Time()
        {
            var (m, n, k) = _shape;
            var start = Stopwatch.GetTimestamp();
            for (var count = 1; ; count++)
            {
                Gemm.Run(_engine, m, n, k, _a.Floats, k, 1, _operand, _c.Floats, n, accumulate: false);
                var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (elapsed >= Seconds)
                {
                    return elapsed / count;
                }
            }
        }

        public void Dispose()
        {
            _stored.Dispose();
            _a.Dispose();
            _c.Dispose();
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
