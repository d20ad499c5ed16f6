using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tests.Tensors.Kernels;

/// <summary>On a batch-invariant engine a row of a product has the same bits in any company, whichever way the product takes.</summary>
public sealed unsafe class BatchInvarianceTests
{
    public static TheoryData<SimdLevel> Levels => new(Values.SimdLevels);

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_row_has_the_same_bits_among_any_number_of_rows(SimdLevel level)
    {
        using var engine = new Engine(2, level) { BatchInvariant = true };
        foreach (var type in new[] { StorageType.F32, StorageType.BF16, StorageType.Q4_1, StorageType.Q6_K })
        {
            foreach (var (n, k) in new[] { (70, 256), (33, 1792), (7, 512) })
            {
                var values = new Values((ulong)(n + k));
                var weight = values.Stored("w", type, n, k);
                var (down, up) = (values.Weight("a", false, 1, 16, k), values.Weight("b", false, 1, n, 16));
                var x = values.Floats(200L * k);
                var all = Product(engine, 200, n, k, x, weight, down, up);
                for (var m = 1; m <= 130; m += m < 20 ? 1 : 11)
                {
                    Assert.Equal(all[..(m * n)], Product(engine, m, n, k, x, weight, down, up));
                }
            }
        }
    }

    /// <summary>x Wᵀ + (x Aᵀ) Bᵀ, as a layer with an adapter works it out.</summary>
    private static float[] Product(Engine engine, int m, int n, int k, float[] x, Weight weight, Weight down, Weight up)
    {
        var (c, middle) = (new float[m * n], new float[m * 16]);
        fixed (float* a = x, to = c, between = middle)
        {
            Gemm.Run(engine, m, 16, k, a, k, 1, new Operand(down, transposed: true), between, 16, accumulate: false);
            Gemm.Run(
                engine, m, n, k, a, k, 1, new Operand(weight, transposed: true), to, n, accumulate: false,
                new RankUpdate(16, between, 16, 1, new Operand(up, transposed: true)));
        }

        return c;
    }
}
