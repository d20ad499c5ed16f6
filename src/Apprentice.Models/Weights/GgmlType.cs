using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>One of ggml's tensor types: its number in a GGUF file, its name, and the size of its blocks.</summary>
/// <param name="Id">The number that a tensor's entry holds.</param>
/// <param name="Name">ggml's name.</param>
/// <param name="BlockElements">Elements of a block; a row is a whole number of blocks.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
/// <param name="Storage">How this engine holds it, or null where it cannot compute with it.</param>
internal sealed record GgmlType(uint Id, string Name, int BlockElements, int BlockBytes, StorageType? Storage = null)
{
    /// <summary>Every type that ggml has not removed, so that a file can be listed although we cannot compute with all of it.</summary>
    public static IReadOnlyDictionary<uint, GgmlType> All { get; } = new GgmlType[]
    {
        new(0, "F32", 1, 4, StorageType.F32),
        new(1, "F16", 1, 2, StorageType.F16),
        new(2, "Q4_0", 32, 18, StorageType.Q4_0),
        new(3, "Q4_1", 32, 20, StorageType.Q4_1),
        new(6, "Q5_0", 32, 22, StorageType.Q5_0),
        new(7, "Q5_1", 32, 24, StorageType.Q5_1),
        new(8, "Q8_0", 32, 34, StorageType.Q8_0),
        new(9, "Q8_1", 32, 36),
        new(10, "Q2_K", 256, 84, StorageType.Q2_K),
        new(11, "Q3_K", 256, 110, StorageType.Q3_K),
        new(12, "Q4_K", 256, 144, StorageType.Q4_K),
        new(13, "Q5_K", 256, 176, StorageType.Q5_K),
        new(14, "Q6_K", 256, 210, StorageType.Q6_K),
        new(15, "Q8_K", 256, 292),
        new(16, "IQ2_XXS", 256, 66),
        new(17, "IQ2_XS", 256, 74),
        new(18, "IQ3_XXS", 256, 98),
        new(19, "IQ1_S", 256, 50),
        new(20, "IQ4_NL", 32, 18, StorageType.IQ4_NL),
        new(21, "IQ3_S", 256, 110),
        new(22, "IQ2_S", 256, 82),
        new(23, "IQ4_XS", 256, 136, StorageType.IQ4_XS),
        new(24, "I8", 1, 1),
        new(25, "I16", 1, 2),
        new(26, "I32", 1, 4),
        new(27, "I64", 1, 8),
        new(28, "F64", 1, 8),
        new(29, "IQ1_M", 256, 56),
        new(30, "BF16", 1, 2, StorageType.BF16),
        new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66),
        new(39, "MXFP4", 32, 17, StorageType.MXFP4),
        new(40, "NVFP4", 64, 36),
    }.ToDictionary(t => t.Id);
}
