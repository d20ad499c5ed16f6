using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

/// <summary>Matrix products against one in double precision, element by element.</summary>
public sealed unsafe class GemmTests
{
    public static TheoryData<SimdLevel> Levels => new(Values.SimdLevels);

    public static TheoryData<StorageType> Types => new(Enum.GetValues<StorageType>());

    private static readonly (int M, int N, int K)[] Small = [(1, 1, 1), (7, 33, 5), (13, 5, 70), (3, 70, 40)];

    [Theory]
    [MemberData(nameof(Levels))]
    public void EveryLengthInEachDimension(SimdLevel level)
    {
        using var engine = new Engine(1, level);
        foreach (var (m, n, k) in Small)
        {
            for (var length = 1; length <= 130; length++)
            {
                Check(engine, length, n, k, (ulong)length);
                Check(engine, m, length, k, (ulong)length);
                Check(engine, m, n, length, (ulong)length);
            }
        }
    }

    /// <summary>More steps than are packed at a time, more columns than are packed at a time, many row parts, rows of A a page apart.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void LargerThanOnePortionInEachDimension(SimdLevel level)
    {
        using var engine = new Engine(2, level);
        foreach (var (m, n, k) in new[] { (7, 65, 769), (5, 40, 1537), (3, 2049, 33), (2, 4100, 3), (193, 17, 40), (400, 70, 9), (199, 33, 1024), (0, 5, 5), (4, 5, 0) })
        {
            Check(engine, m, n, k, (ulong)k);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryStoredTypeBothWays(StorageType type)
    {
        foreach (var level in Values.SimdLevels)
        {
            using var engine = new Engine(2, level);
            foreach (var (rows, columns) in (BlockFormats.BlockElements(type) == 256 ? new[] { (5, 256), (33, 512), (70, 1024) } : [(1, 32), (5, 64), (33, 96), (70, 160), (64, 32), (100, 800)]))
            {
                var values = new Values((ulong)(rows * columns));
                var weight = values.Stored("w", type, rows, columns);
                foreach (var m in new[] { 1, 6, 11, 20, 40, 70, 100 })
                {
                    Check(engine, m, rows, weight.Columns, weight, transposed: true, values);
                    Check(engine, m, weight.Columns, rows, weight, transposed: false, values);
                }
            }
        }
    }

    /// <summary>Awkward float rows that are no whole blocks, from the 16-bit types.</summary>
    [Theory]
    [InlineData(StorageType.F16)]
    [InlineData(StorageType.BF16)]
    public void SixteenBitRowsOfAnyLength(StorageType type)
    {
        using var engine = new Engine(1);
        for (var columns = 1; columns <= 70; columns++)
        {
            var values = new Values((ulong)columns);
            var weight = values.Stored("w", type, 9, columns);
            Check(engine, 3, 9, columns, weight, transposed: true, values);
            Check(engine, 3, columns, 9, weight, transposed: false, values);
        }
    }

    /// <summary>A product and a rank update in one go are the two one after the other.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void RankUpdateIsASecondProduct(SimdLevel level)
    {
        using var engine = new Engine(2, level);
        foreach (var (m, n, k, steps) in new[] { (3, 70, 40, 16), (50, 130, 900, 5), (100, 2100, 20, 16), (200, 70, 1600, 33), (130, 9, 60, 900), (5, 40, 7, 1000) })
        {
            foreach (var transposed in new[] { false, true })
            {
                var values = new Values((ulong)(m + n + steps));
                var (a, b, before) = (values.Floats(m * k), values.Floats(k * n), values.Floats(m * n));
                var (a2, b2) = (values.Floats(m * steps), values.Floats(steps * n));
                var (together, apart) = ((float[])before.Clone(), (float[])before.Clone());
                fixed (float* pa = a, pb = b, pa2 = a2, pb2 = b2, one = together, two = apart)
                {
                    var (right, right2) = (new Operand(pb, transposed ? k : n, transposed), new Operand(pb2, transposed ? steps : n, transposed));
                    Gemm.Run(engine, m, n, k, pa, k, 1, right, one, n, accumulate: true, new RankUpdate(steps, pa2, steps, 1, right2));
                    Gemm.Run(engine, m, n, k, pa, k, 1, right, two, n, accumulate: true);
                    Gemm.Run(engine, m, n, steps, pa2, steps, 1, right2, two, n, accumulate: true);
                }

                for (var i = 0; i < together.Length; i++)
                {
                    Assert.True(Math.Abs(together[i] - apart[i]) <= 1e-5 * Math.Sqrt(k + steps), $"{level} m {m} n {n} k {k}+{steps} transposed {transposed}: element {i} is {together[i]}, not {apart[i]}");
                }
            }
        }
    }

    [Fact]
    public void TheSameBitsForAnyNumberOfThreads()
    {
        const int M = 200, N = 150, K = 900;
        var values = new Values(5);
        var (a, b) = (values.Floats(M * K), values.Floats(N * K));
        var results = new List<float[]>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var engine = new Engine(threads);
            var c = new float[M * N];
            fixed (float* pa = a, pb = b, pc = c)
            {
                Gemm.Run(engine, M, N, K, pa, K, 1, new Operand(pb, K, transposed: true), pc, N, accumulate: false);
            }

            results.Add(c);
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static void Check(Engine engine, int m, int n, int k, ulong seed)
    {
        var values = new Values(seed + (ulong)(m * 31 + n * 17 + k));
        foreach (var transposed in new[] { false, true })
        {
            var weight = values.Weight("b", trainable: false, 1, Math.Max(1, transposed ? n : k), Math.Max(1, transposed ? k : n));
            Check(engine, m, n, k, weight, transposed, values);
        }
    }

    private static void Check(Engine engine, int m, int n, int k, Weight weight, bool transposed, Values values)
    {
        var stored = weight.ToArray();
        var expected = new double[m * n];
        foreach (var rowStrided in new[] { true, false })
        {
            var a = values.Floats(Math.Max(1, m * k));
            var (aRow, aStep) = rowStrided ? (k, 1) : (1, m);
            var cRow = n + 3;
            var before = values.Floats(Math.Max(1, m * cRow));
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var sum = 0.0;
                    for (var p = 0; p < k; p++)
                    {
                        sum += (double)a[i * aRow + p * aStep] * (transposed ? stored[j * weight.Columns + p] : stored[p * weight.Columns + j]);
                    }

                    expected[i * n + j] = sum;
                }
            }

            foreach (var accumulate in new[] { false, true })
            {
                foreach (var serial in new[] { false, true })
                {
                    var c = (float[])before.Clone();
                    var work = new float[Gemm.SerialFloats(k) + 1];
                    work[^1] = 12345;
                    fixed (float* pa = a, pc = c, pw = work)
                    {
                        var operand = new Operand(weight, transposed);
                        if (serial)
                        {
                            Gemm.Serial(engine.Simd, m, n, k, pa, aRow, aStep, operand, pc, cRow, accumulate, pw);
                        }
                        else
                        {
                            Gemm.Run(engine, m, n, k, pa, aRow, aStep, operand, pc, cRow, accumulate);
                        }
                    }

                    Assert.Equal(12345, work[^1]);
                    for (var i = 0; i < m; i++)
                    {
                        for (var j = 0; j < cRow; j++)
                        {
                            var want = j >= n ? before[i * cRow + j] : expected[i * n + j] + (accumulate ? before[i * cRow + j] : 0);
                            var tolerance = j >= n ? 0 : 2e-6 * Math.Sqrt(k + 1) * (1 + Math.Abs(want));
                            if (!(Math.Abs(c[i * cRow + j] - want) <= tolerance))
                            {
                                Assert.Fail($"{engine.Simd} {weight.Type} m {m} n {n} k {k} transposed {transposed} rows {rowStrided} accumulate {accumulate} serial {serial}: [{i}, {j}] = {c[i * cRow + j]}, not {want}");
                            }
                        }
                    }
                }
            }
        }

        Assert.Equal(0, engine.Arena.LiveBytes);
    }
}
