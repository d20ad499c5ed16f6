namespace Apprentice.Tensors.Kernels;

/// <summary>
/// The size of each <see cref="StorageType"/> in memory, and the way from it to float32. A row of a weight is a whole
/// number of blocks; a block is a fixed number of elements in a fixed number of bytes (one element for the float
/// types). Layouts are those of ggml as the GGUF specification gives them; all numbers are little-endian.
/// </summary>
public static class BlockFormats
{
    /// <summary>Elements of one block: 1 for F32, F16 and BF16, 32 for the quantized types.</summary>
    public static int BlockElements(StorageType type) => type switch
    {
        StorageType.F32 or StorageType.F16 or StorageType.BF16 => 1,
        StorageType.Q4_0 or StorageType.Q4_1 or StorageType.Q5_0 or StorageType.Q5_1 or StorageType.Q8_0 => QuantizedBlocks.Elements,
        _ => throw Unknown(type),
    };

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(StorageType type) => type switch
    {
        StorageType.F32 => sizeof(float),
        StorageType.F16 or StorageType.BF16 => sizeof(ushort),
        StorageType.Q4_0 => BlockQ4_0.Bytes,
        StorageType.Q4_1 => BlockQ4_1.Bytes,
        StorageType.Q5_0 => BlockQ5_0.Bytes,
        StorageType.Q5_1 => BlockQ5_1.Bytes,
        StorageType.Q8_0 => BlockQ8_0.Bytes,
        _ => throw Unknown(type),
    };

    /// <summary>Bytes of a row of that many elements.</summary>
    /// <exception cref="ArgumentException">The columns are negative or not a whole number of blocks.</exception>
    public static long RowBytes(StorageType type, long columns)
    {
        var elements = BlockElements(type);
        return columns >= 0 && columns % elements == 0
            ? checked(columns / elements * BlockBytes(type))
            : throw new ArgumentException($"{type} needs rows of a multiple of {elements} elements, not {columns}", nameof(columns));
    }

    /// <summary>Widens elements from <paramref name="source"/> at byte <paramref name="offset"/> until the destination is full.</summary>
    /// <exception cref="ArgumentException">The destination is not a whole number of blocks or the source is too short.</exception>
    public static unsafe void ToFloats(StorageType type, byte[] source, int offset, float[] destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        var bytes = RowBytes(type, destination.Length);
        if (offset < 0 || bytes > source.Length - offset)
        {
            throw new ArgumentException($"{destination.Length} elements of {type} are {bytes} bytes; {source.Length - offset} are there", nameof(source));
        }

        fixed (byte* from = source)
        fixed (float* to = destination)
        {
            Decode(type, from + offset, to, destination.Length);
        }
    }

    /// <summary>Rounds a row to a type: F16 and BF16 to nearest, ties to even; Q8_0 as ggml does.</summary>
    /// <exception cref="ArgumentException">The type cannot be written, or the destination is not as long as the row takes.</exception>
    public static unsafe void FromFloats(StorageType type, ReadOnlySpan<float> row, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, RowBytes(type, row.Length));
        fixed (float* from = row)
        fixed (byte* to = destination)
        {
            switch (type)
            {
                case StorageType.F32:
                    Buffer.MemoryCopy(from, to, destination.Length, destination.Length);
                    break;
                case StorageType.F16:
                    for (var i = 0; i < row.Length; i++)
                    {
                        ((ushort*)to)[i] = HalfPrecision.ToF16(from[i]);
                    }

                    break;
                case StorageType.BF16:
                    for (var i = 0; i < row.Length; i++)
                    {
                        ((ushort*)to)[i] = HalfPrecision.ToBF16(from[i]);
                    }

                    break;
                case StorageType.Q8_0:
                    QuantizedBlocks.EncodeQ8_0(from, to, row.Length);
                    break;
                default:
                    throw new ArgumentException($"{type} is not written", nameof(type));
            }
        }
    }

    /// <summary>
    /// Widens <paramref name="count"/> elements (a multiple of the block size) that start at a block boundary.
    /// Exact for the float types; d·q (+ m) in float32, each operation rounded once, for the quantized ones.
    /// Neither pointer needs alignment. The same bits on every instruction set.
    /// </summary>
    internal static unsafe void Decode(StorageType type, byte* source, float* destination, int count)
    {
        switch (type)
        {
            case StorageType.F32:
                Buffer.MemoryCopy(source, destination, count * 4L, count * 4L);
                break;
            case StorageType.F16:
                HalfPrecision.DecodeF16((ushort*)source, destination, count);
                break;
            case StorageType.BF16:
                HalfPrecision.DecodeBF16((ushort*)source, destination, count);
                break;
            case StorageType.Q4_0:
                QuantizedBlocks.Decode<BlockQ4_0>(source, destination, count);
                break;
            case StorageType.Q4_1:
                QuantizedBlocks.Decode<BlockQ4_1>(source, destination, count);
                break;
            case StorageType.Q5_0:
                QuantizedBlocks.Decode<BlockQ5_0>(source, destination, count);
                break;
            case StorageType.Q5_1:
                QuantizedBlocks.Decode<BlockQ5_1>(source, destination, count);
                break;
            case StorageType.Q8_0:
                QuantizedBlocks.Decode<BlockQ8_0>(source, destination, count);
                break;
            default:
                throw Unknown(type);
        }
    }

    /// <summary>sums[r] = the sum of x[i] times element i of stored row r, for rows that follow each other.</summary>
    /// <param name="work">Takes <paramref name="count"/> floats where a row is widened first.</param>
    internal static unsafe void Dot(StorageType type, byte* source, int rows, nint rowBytes, float* x, int count, float* sums, float* work)
    {
        switch (type)
        {
            case StorageType.Q4_0:
                QuantizedBlocks.Dot<BlockQ4_0>(source, rows, rowBytes, x, count, sums);
                break;
            case StorageType.Q4_1:
                QuantizedBlocks.Dot<BlockQ4_1>(source, rows, rowBytes, x, count, sums);
                break;
            case StorageType.Q5_0:
                QuantizedBlocks.Dot<BlockQ5_0>(source, rows, rowBytes, x, count, sums);
                break;
            case StorageType.Q5_1:
                QuantizedBlocks.Dot<BlockQ5_1>(source, rows, rowBytes, x, count, sums);
                break;
            case StorageType.Q8_0:
                QuantizedBlocks.Dot<BlockQ8_0>(source, rows, rowBytes, x, count, sums);
                break;
            default:
                for (var r = 0; r < rows; r++, source += rowBytes)
                {
                    if (type != StorageType.F32)
                    {
                        Decode(type, source, work, count);
                    }

                    sums[r] = Rows.Dot(x, type == StorageType.F32 ? (float*)source : work, count);
                }

                break;
        }
    }

    private static ArgumentOutOfRangeException Unknown(StorageType type) => new(nameof(type), type, "not a storage type");
}
