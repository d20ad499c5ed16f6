using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>A dtype of the safetensors format.</summary>
/// <param name="Name">Its name in a header.</param>
/// <param name="Bits">Bits of an element.</param>
/// <param name="Storage">How this engine holds it, or null where it cannot compute with it.</param>
internal sealed record SafetensorsType(string Name, int Bits, StorageType? Storage = null)
{
    public static IReadOnlyDictionary<string, SafetensorsType> All { get; } = new SafetensorsType[]
    {
        new("F32", 32, StorageType.F32),
        new("F16", 16, StorageType.F16),
        new("BF16", 16, StorageType.BF16),
        new("BOOL", 8),
        new("U8", 8),
        new("I8", 8),
        new("U16", 16),
        new("I16", 16),
        new("U32", 32),
        new("I32", 32),
        new("U64", 64),
        new("I64", 64),
        new("F64", 64),
        new("C64", 64),
        new("F8_E4M3", 8),
        new("F8_E5M2", 8),
        new("F8_E8M0", 8),
        new("F8_E4M3FNUZ", 8),
        new("F8_E5M2FNUZ", 8),
        new("F6_E2M3", 6),
        new("F6_E3M2", 6),
        new("F4", 4),
    }.ToDictionary(t => t.Name);
}
