using System.Runtime.Intrinsics.X86;

namespace Apprentice.Tensors.Kernels.OneDnn;

/// <summary>
/// Whether this CPU multiplies bfloat16 numbers and adds in float32, which .NET 10 has no name for. Without such
/// instructions a library only imitates them, slower than float32.
/// </summary>
internal static class Bf16Instructions
{
    public static bool Available { get; } = X86Base.IsSupported && (HasAvx512() || HasAmx());

    /// <summary>AVX512_BF16 (leaf 7.1, EAX bit 5). DOTNET_EnableAVX512=0 takes it away with the rest of AVX-512.</summary>
    private static bool HasAvx512() => Avx512F.IsSupported && Leaf(7, 0).Eax >= 1 && IsSet(Leaf(7, 1).Eax, 5);

    /// <summary>AMX-BF16 (leaf 7.0, EDX bit 22) and a system that saves the tiles of a thread.</summary>
    private static bool HasAmx()
    {
        if (!IsSet(Leaf(7, 0).Edx, 22) || !Avx512F.IsSupported)
        {
            return false;
        }

        // XCR0 itself cannot be read here, but leaf 13 tells the size of all that the system has switched on, and where
        // in it the tiles (component 18) would lie.
        var tiles = Leaf(13, 18);
        return tiles.Eax > 0 && (uint)Leaf(13, 0).Ebx >= (uint)tiles.Ebx + (uint)tiles.Eax;
    }

    private static (int Eax, int Ebx, int Ecx, int Edx) Leaf(int leaf, int sub) => X86Base.CpuId(0, 0).Eax >= leaf ? X86Base.CpuId(leaf, sub) : default;

    private static bool IsSet(int register, int bit) => (register & (1 << bit)) != 0;
}
