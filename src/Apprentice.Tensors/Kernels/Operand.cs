namespace Apprentice.Tensors.Kernels;

/// <summary>
/// The right-hand side B [k, n] of a product, as it lies in memory. <see cref="Transposed"/> false: stored row p holds
/// the n values of step p. True: stored row j holds the k values of column j (a weight [out, in] in x Wᵀ).
/// </summary>
internal readonly unsafe struct Operand
{
    public Operand(float* data, nint stride, bool transposed)
    {
        Data = (byte*)data;
        Type = StorageType.F32;
        RowBytes = stride * sizeof(float);
        Transposed = transposed;
    }

    public Operand(Weight weight, bool transposed)
    {
        Data = weight.Data;
        Type = weight.Type;
        RowBytes = (nint)BlockFormats.RowBytes(weight.Type, weight.Columns);
        Transposed = transposed;
    }

    private Operand(byte* data, StorageType type, nint rowBytes, bool transposed)
    {
        Data = data;
        Type = type;
        RowBytes = rowBytes;
        Transposed = transposed;
    }

    /// <summary>The stored rows from this one on: columns where <see cref="Transposed"/>, else steps.</summary>
    public Operand FromRow(int row) => new(Data + row * RowBytes, Type, RowBytes, Transposed);

    public byte* Data { get; }

    public StorageType Type { get; }

    public nint RowBytes { get; }

    public bool Transposed { get; }

    /// <summary>Floats from one stored row to the next, for an operand that can be read <see cref="InPlace"/>.</summary>
    public nint Stride => RowBytes / sizeof(float);

    /// <summary>A whole panel of columns that needs no packing since it lies step after step as floats already, or null.</summary>
    public float* InPlace(int j, int columns, int p, int width) =>
        Type == StorageType.F32 && !Transposed && columns == width ? (float*)(Data + p * RowBytes) + j : null;

    /// <summary>
    /// Writes columns [j, j+columns) and steps [p, p+steps) as a packed panel: step after step, <paramref name="width"/>
    /// floats each, missing columns as zeros. This is where stored blocks are widened.
    /// </summary>
    /// <param name="staging">Room for <see cref="StagingFloats"/> floats.</param>
    public void Pack(int j, int columns, int p, int steps, int width, float* panel, float* staging)
    {
        if (columns < width)
        {
            new Span<float>(panel, checked(steps * width)).Clear();
        }

        if (Transposed)
        {
            PackTransposed(j, columns, p, steps, width, panel, staging);
        }
        else
        {
            PackRows(j, columns, p, steps, width, panel, staging);
        }
    }

    /// <summary>Floats that <see cref="Pack"/> needs for widening.</summary>
    public static int StagingFloats(int width) => Math.Max(width + 2 * QuantizedBlocks.Group, Strip * Transpose.Rows);

    /// <summary>Steps that are widened and transposed together: small enough for the strip to stay in the first-level cache.</summary>
    private const int Strip = 64;

    private void PackRows(int j, int columns, int p, int steps, int width, float* panel, float* staging)
    {
        // What is widened may begin before column j and end after the last one (a panel narrower than a group).
        var grain = BlockFormats.Grain(Type);
        var first = j / grain * grain;
        var count = (j + columns + grain - 1) / grain * grain - first;
        var aligned = first == j && count == columns;
        var source = Data + p * RowBytes;
        for (var s = 0; s < steps; s++, source += RowBytes, panel += width)
        {
            if (aligned)
            {
                BlockFormats.Decode(Type, source, first, panel, columns);
                continue;
            }

            BlockFormats.Decode(Type, source, first, staging, count);
            new ReadOnlySpan<float>(staging + (j - first), columns).CopyTo(new Span<float>(panel, columns));
        }
    }

    private void PackTransposed(int j, int columns, int p, int steps, int width, float* panel, float* staging)
    {
        for (var s = 0; s < steps; s += Strip)
        {
            var strip = Math.Min(Strip, steps - s);
            for (var c = 0; c < columns; c += Transpose.Rows)
            {
                var rows = Math.Min(Transpose.Rows, columns - c);
                var source = Data + (j + c) * RowBytes;
                var to = panel + (long)s * width + c;
                if (Type == StorageType.F32)
                {
                    Transpose.Copy((float*)source + p + s, RowBytes / sizeof(float), rows, strip, to, width);
                    continue;
                }

                for (var r = 0; r < rows; r++)
                {
                    BlockFormats.Decode(Type, source + r * RowBytes, p + s, staging + r * Strip, strip);
                }

                Transpose.Copy(staging, Strip, rows, strip, to, width);
            }
        }
    }
}
