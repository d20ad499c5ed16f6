using Apprentice.Tensors.Kernels.OneDnn;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// C [m, n] = A [m, k] B [k, n] (or +=) with a matrix of the model as B: on the engine's accelerator where it has one and
/// there are rows enough, otherwise by <see cref="Gemm"/>. An adapter's product stays in float32 either way.
/// </summary>
internal static unsafe class LargeProduct
{
    public static void Run(
        Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate, in RankUpdate update = default)
    {
        if (engine.BFloat16 is not { } accelerator || !Accelerator.Takes(m, k))
        {
            Gemm.Run(engine, m, n, k, a, aRow, 1, b, c, cRow, accumulate, update);
            return;
        }

        accelerator.Run(engine, m, n, k, a, aRow, b, c, cRow, accumulate);
        if (update.Steps > 0)
        {
            Gemm.Run(engine, m, n, update.Steps, update.A, update.ARow, update.AStep, update.B, c, cRow, accumulate: true);
        }
    }
}
