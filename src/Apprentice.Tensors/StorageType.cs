namespace Apprentice.Tensors;

/// <summary>How the elements of a weight lie in memory. The GGUF names and block layouts are those of ggml.</summary>
public enum StorageType
{
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
    MXFP4,
}
