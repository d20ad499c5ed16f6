namespace Apprentice.Tensors.Kernels;

/// <summary>
/// The size of each <see cref="StorageType"/> in memory, and the way from it to float32 and back. A row of a weight is a
/// whole number of blocks; a block is a fixed number of elements in a fixed number of bytes (one element for the float
/// types). Layouts are those of ggml as the GGUF specification gives them; all numbers are little-endian.
/// </summary>
public static unsafe class BlockFormats
{
    /// <summary>What there is to know of a type.</summary>
    /// <param name="decode">Widens elements of a row: (row, first, destination, count).</param>
    /// <param name="encode">Rounds a row: (source, destination, count); null where the type is only read.</param>
    private sealed class Format(int elements, int bytes, delegate*<byte*, int, float*, int, void> decode, delegate*<float*, byte*, int, void> encode)
    {
        public readonly int Elements = elements, Bytes = bytes;
        public readonly delegate*<byte*, int, float*, int, void> Decode = decode;
        public readonly delegate*<float*, byte*, int, void> Encode = encode;

        /// <summary>Multiplies rows with a vector where they lie: (source, rows, row bytes, x, count, sums); null: they are widened first.</summary>
        public delegate*<byte*, int, nint, float*, int, float*, void> Dot { get; private init; }

        /// <summary>Multiplies them with several rows: <see cref="FewRowsTiles"/>.</summary>
        public delegate*<Engine, int, int, int, float*, nint, in Operand, float*, nint, bool, void> Tiles { get; private init; } = &FewRowsTiles.Run<NoFiller>;

        public static Format Of<TBlock>(delegate*<float*, byte*, int, void> encode = null)
            where TBlock : struct, IQuantizedBlock => new(TBlock.Elements, TBlock.Bytes, &QuantizedBlocks.Decode<TBlock>, encode)
        {
            Dot = &QuantizedBlocks.Dot<TBlock>,
            Tiles = &FewRowsTiles.Run<BlockFiller<TBlock>>,
        };
    }

    /// <summary>In the order of <see cref="StorageType"/>.</summary>
    private static readonly Format[] Formats =
    [
        new(1, sizeof(float), &CopyFloats, &CopyFloats),
        new(1, sizeof(ushort), &WidenF16, &RoundToF16),
        new(1, sizeof(ushort), &WidenBF16, &RoundToBF16),
        Format.Of<BlockQ4_0>(&BlockEncoding.Q4_0),
        Format.Of<BlockQ4_1>(&BlockEncoding.Q4_1),
        Format.Of<BlockQ5_0>(),
        Format.Of<BlockQ5_1>(),
        Format.Of<BlockQ8_0>(&BlockEncoding.Q8_0),
        Format.Of<BlockQ2_K>(),
        Format.Of<BlockQ3_K>(),
        Format.Of<BlockQ4_K>(),
        Format.Of<BlockQ5_K>(),
        Format.Of<BlockQ6_K>(),
        Format.Of<BlockIQ4_NL>(),
        Format.Of<BlockIQ4_XS>(),
        Format.Of<BlockMXFP4>(),
    ];

    /// <summary>Elements of one block: 1 for F32, F16 and BF16, 32 or 256 for the quantised types.</summary>
    public static int BlockElements(StorageType type) => Of(type).Elements;

    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(StorageType type) => Of(type).Bytes;

    /// <summary>Whether <see cref="FromFloats"/> writes this type.</summary>
    public static bool CanWrite(StorageType type) => Of(type).Encode != null;

    /// <summary>Bytes of a row of that many elements.</summary>
    /// <exception cref="ArgumentException">The columns are negative or not a whole number of blocks.</exception>
    public static long RowBytes(StorageType type, long columns)
    {
        var format = Of(type);
        return columns >= 0 && columns % format.Elements == 0
            ? checked(columns / format.Elements * format.Bytes)
            : throw new ArgumentException($"{type} needs rows of a multiple of {format.Elements} elements, not {columns}", nameof(columns));
    }

    /// <summary>Widens elements from <paramref name="source"/> at byte <paramref name="offset"/> until the destination is full.</summary>
    /// <exception cref="ArgumentException">The destination is not a whole number of blocks or the source is too short.</exception>
    public static void ToFloats(StorageType type, byte[] source, int offset, float[] destination)
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
            Decode(type, from + offset, 0, to, destination.Length);
        }
    }

    /// <summary>Rounds a row to a type: F16 and BF16 to nearest, ties to even; quantised types as ggml does.</summary>
    /// <exception cref="ArgumentException">The type cannot be written, or the destination is not as long as the row takes.</exception>
    public static void FromFloats(StorageType type, ReadOnlySpan<float> row, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, RowBytes(type, row.Length));
        if (!CanWrite(type))
        {
            throw new ArgumentException($"{type} is not written", nameof(type));
        }

        fixed (float* from = row)
        fixed (byte* to = destination)
        {
            Of(type).Encode(from, to, row.Length);
        }
    }

    /// <summary>
    /// The least number of elements that can be widened alone: a block's, or a group of a large block's. Positions within
    /// rows and counts are multiples of it.
    /// </summary>
    internal static int Grain(StorageType type) => Math.Min(Of(type).Elements, QuantizedBlocks.Group);

    /// <summary>
    /// Widens <paramref name="count"/> elements of a row from <paramref name="first"/> on, both multiples of
    /// <see cref="Grain"/>. Exact for the float types; d·q (+ m) in float32, each operation rounded once, for the quantised
    /// ones. Neither pointer needs alignment. The same bits on every instruction set.
    /// </summary>
    internal static void Decode(StorageType type, byte* row, int first, float* destination, int count) => Of(type).Decode(row, first, destination, count);

    /// <summary>sums[r] = the sum of x[i] times element i of stored row r, for rows that follow each other.</summary>
    /// <param name="work">Takes <paramref name="count"/> floats where a row is widened first.</param>
    internal static void Dot(StorageType type, byte* source, int rows, nint rowBytes, float* x, int count, float* sums, float* work)
    {
        var format = Of(type);
        if (format.Dot != null)
        {
            format.Dot(source, rows, rowBytes, x, count, sums);
            return;
        }

        for (var r = 0; r < rows; r++, source += rowBytes)
        {
            if (type != StorageType.F32)
            {
                format.Decode(source, 0, work, count);
            }

            sums[r] = Rows.Dot(x, type == StorageType.F32 ? (float*)source : work, count);
        }
    }

    /// <summary>C [m, n] = A [m, k] Bᵀ (or +=), where B's stored rows, of k elements, are widened on the way.</summary>
    internal static void Multiply(Engine engine, int m, int n, int k, float* a, nint aRow, in Operand b, float* c, nint cRow, bool accumulate) =>
        Of(b.Type).Tiles(engine, m, n, k, a, aRow, b, c, cRow, accumulate);

    private static Format Of(StorageType type) =>
        (uint)type < (uint)Formats.Length ? Formats[(int)type] : throw new ArgumentOutOfRangeException(nameof(type), type, "not a storage type");

    private static void CopyFloats(byte* row, int first, float* destination, int count) =>
        Buffer.MemoryCopy((float*)row + first, destination, count * 4L, count * 4L);

    private static void CopyFloats(float* source, byte* destination, int count) => Buffer.MemoryCopy(source, destination, count * 4L, count * 4L);

    private static void WidenF16(byte* row, int first, float* destination, int count) => HalfPrecision.DecodeF16((ushort*)row + first, destination, count);

    private static void WidenBF16(byte* row, int first, float* destination, int count) => HalfPrecision.DecodeBF16((ushort*)row + first, destination, count);

    private static void RoundToF16(float* source, byte* destination, int count)
    {
        for (var i = 0; i < count; i++)
        {
            ((ushort*)destination)[i] = HalfPrecision.ToF16(source[i]);
        }
    }

    private static void RoundToBF16(float* source, byte* destination, int count) => HalfPrecision.EncodeBF16(source, (ushort*)destination, count);
}
