using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Kernels.OneDnn;

namespace Apprentice.Tests.Tensors.Kernels.OneDnn;

/// <summary>
/// Products by oneDNN against double precision on factors rounded to bfloat16. Where the CPU has no bf16 instructions,
/// everything but the type of the elements still runs: see <see cref="Accelerator.TryImitate"/>.
/// </summary>
public sealed unsafe class AcceleratorTests
{
    /// <summary>The CPU's bf16 instructions; float32 ones on rounded values; bfloat16 elements by <see cref="FakeOneDnn"/>.</summary>
    public enum Way
    {
        Real,
        Imitated,
        Fake2,
        Fake3,
    }

    public static TheoryData<Way> Ways => new(Enum.GetValues<Way>());

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Every_number_of_rows_and_columns_and_steps(Way way)
    {
        using var engine = EngineOrSkip(way);
        for (var length = 1; length <= 130; length++)
        {
            Check(engine, length, 70, 40, StorageType.F32);
            Check(engine, 37, length, 40, StorageType.F32);
            Check(engine, 33, 66, length, StorageType.F32);
        }
    }

    /// <summary>Blocks of rows of every size, wide parts, the last one narrower.</summary>
    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Larger_than_a_block_in_each_dimension(Way way)
    {
        using var engine = EngineOrSkip(way);
        foreach (var (m, n, k) in new[] { (2047, 70, 33), (2048, 33, 20), (1500, 64, 32), (40, 1024, 64), (40, 1057, 32), (50, 65, 1600) })
        {
            Check(engine, m, n, k, StorageType.F32);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Every_stored_type_both_ways(Way way)
    {
        using var engine = EngineOrSkip(way);
        foreach (var type in Enum.GetValues<StorageType>())
        {
            foreach (var m in new[] { 16, 45, 96 })
            {
                Check(engine, m, 96, 64, type);
                Check(engine, m, 32, 160, type);
                Check(engine, m, 160, 96, type);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void The_same_bits_for_any_number_of_threads(Way way)
    {
        const int M = 1203, N = 200, K = 300;
        var values = new Values(5);
        var (a, b) = (values.Floats(M * K), values.Floats(N * K));
        var results = new List<float[]>();
        foreach (var threads in new[] { 1, 2, 3, 2 })
        {
            using var engine = EngineOrSkip(way, threads);
            var c = new float[M * N];
            fixed (float* pa = a, pb = b, pc = c)
            {
                LargeProduct.Run(engine, M, N, K, pa, K, new Operand(pb, K, transposed: true), pc, N, accumulate: false);
            }

            results.Add(c);
        }

        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    /// <summary>An adapter's product is added in float32; few rows do not go to oneDNN at all.</summary>
    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void The_adapters_part_is_not_rounded(Way way)
    {
        using var engine = EngineOrSkip(way);
        using var own = new Engine(2);
        foreach (var m in new[] { 1, 15, 16, 70 })
        {
            const int N = 70, K = 40, Steps = 16;
            var values = new Values((ulong)m);
            var (a, b, a2, b2) = (values.Floats(m * K), new float[N * K], values.Floats(m * Steps), values.Floats(N * Steps));
            var (accelerated, plain) = (new float[m * N], new float[m * N]);
            fixed (float* pa = a, pb = b, pa2 = a2, pb2 = b2, one = accelerated, two = plain)
            {
                var update = new RankUpdate(Steps, pa2, Steps, 1, new Operand(pb2, Steps, transposed: true));
                LargeProduct.Run(engine, m, N, K, pa, K, new Operand(pb, K, transposed: true), one, N, accumulate: false, update);
                LargeProduct.Run(own, m, N, K, pa, K, new Operand(pb, K, transposed: true), two, N, accumulate: false, update);
            }

            for (var i = 0; i < plain.Length; i++)
            {
                Assert.Equal(plain[i], accelerated[i], 1e-5);
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_product_that_was_there_before_allocates_nothing(Way way)
    {
        const int M = 77, N = 200, K = 64;
        using var engine = EngineOrSkip(way);
        var values = new Values(1);
        var weight = values.Stored("w", StorageType.Q4_1, N, K);
        var (a, c) = (values.Floats(M * K), new float[M * N]);
        fixed (float* pa = a, pc = c)
        {
            var allocated = 0L;
            for (var i = 0; i < 3; i++)
            {
                allocated = GC.GetAllocatedBytesForCurrentThread();
                LargeProduct.Run(engine, M, N, K, pa, K, new Operand(weight, transposed: true), pc, N, accumulate: false);
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            }

            Assert.Equal(0, allocated);
        }
    }

    [Theory]
    [InlineData(Way.Fake2)]
    [InlineData(Way.Fake3)]
    public void Nothing_is_left_behind(Way way)
    {
        using (var engine = EngineOrSkip(way))
        {
            Check(engine, 70, 130, 40, StorageType.F32);
            Assert.NotEqual(0, FakeOneDnn.Live);
        }

        Assert.Equal(0, FakeOneDnn.Live);
    }

    private static void Check(Engine engine, int m, int n, int k, StorageType type)
    {
        foreach (var transposed in new[] { false, true })
        {
            var values = new Values((ulong)(m * 31 + n * 17 + k));
            var (rows, columns) = transposed ? (n, k) : (k, n);
            var weight = values.Stored("b", type, rows, columns);
            columns = weight.Columns;
            (n, k) = transposed ? (n, columns) : (columns, k);
            var stored = Rounded(weight.ToArray());
            var (a, cRow) = (values.Floats((long)m * (k + 2)), n + 3);
            var factors = Rounded(a);
            var before = values.Floats((long)m * cRow);
            foreach (var accumulate in new[] { false, true })
            {
                var c = (float[])before.Clone();
                fixed (float* pa = a, pc = c)
                {
                    engine.BFloat16!.Run(engine, m, n, k, pa, k + 2, new Operand(weight, transposed), pc, cRow, accumulate);
                }

                for (var i = 0; i < m; i++)
                {
                    for (var j = 0; j < cRow; j++)
                    {
                        var want = j >= n || accumulate ? before[i * cRow + j] : 0.0;
                        for (var p = 0; j < n && p < k; p++)
                        {
                            want += (double)factors[i * (k + 2) + p] * (transposed ? stored[j * k + p] : stored[p * n + j]);
                        }

                        var tolerance = j >= n ? 0 : 2e-6 * Math.Sqrt(k + 1) * (1 + Math.Abs(want));
                        if (!(Math.Abs(c[i * cRow + j] - want) <= tolerance))
                        {
                            Assert.Fail($"{type} m {m} n {n} k {k} transposed {transposed} accumulate {accumulate}: [{i}, {j}] = {c[i * cRow + j]}, not {want}");
                        }
                    }
                }
            }
        }

        Assert.Equal(0, engine.Arena.LiveBytes);
    }

    private static float[] Rounded(float[] values) => [.. values.Select(v => HalfPrecision.FromBF16(HalfPrecision.ToBF16(v)))];

    private static Engine EngineOrSkip(Way way, int threads = 2)
    {
        string? why = null;
        var accelerator = way switch
        {
            Way.Real => Accelerator.TryCreate(out why),
            Way.Imitated => Accelerator.TryImitate(out why),
            Way.Fake2 => new Accelerator(FakeOneDnn.Version2, Element.BF16),
            _ => new Accelerator(FakeOneDnn.Version3, Element.BF16),
        };
        Skip.If(accelerator is null, why);
        return new Engine(threads, accelerator);
    }
}
