using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels;

/// <summary>The widest float vectors that this process may use; part of a run's lock, since other widths give other bits.</summary>
public enum SimdLevel
{
    Scalar = 1,
    V128 = 4,
    V256 = 8,
    V512 = 16,
}

internal static class SimdDetection
{
    /// <summary>
    /// What the hardware and the DOTNET_Enable… switches allow. Not Vector512.IsHardwareAccelerated, which is false on Intel's
    /// Skylake and Cascade Lake since 512 bits lower their clock: products gain far more (training 1.7 times as fast).
    /// </summary>
    public static SimdLevel Current { get; } =
        Avx512F.IsSupported ? SimdLevel.V512
        : Vector256.IsHardwareAccelerated ? SimdLevel.V256
        : Vector128.IsHardwareAccelerated ? SimdLevel.V128
        : SimdLevel.Scalar;
}
