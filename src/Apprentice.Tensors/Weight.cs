using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Memory;

namespace Apprentice.Tensors;

/// <summary>
/// A parameter of a model: a matrix of <see cref="Rows"/> x <see cref="Columns"/> (a vector is one row) in its stored
/// type. Frozen weights are immutable and may be shared by any number of tapes; trainable ones are F32 and carry a
/// gradient of the same shape.
/// </summary>
public sealed unsafe class Weight
{
    private readonly object _owner; // keeps the mapping or buffer alive

    internal Weight(string name, StorageType type, long[] shape, object owner, byte* data)
    {
        if (shape.Length is 0 or > 2 || shape.Any(d => d is <= 0 or > int.MaxValue))
        {
            throw new ArgumentException($"{name}: shape [{string.Join(", ", shape)}] is not one or two dimensions of 1 or more");
        }

        Name = name;
        Type = type;
        Shape = shape;
        Rows = shape.Length == 2 ? (int)shape[0] : 1;
        Columns = (int)shape[^1];
        Bytes = checked(BlockFormats.RowBytes(type, Columns) * Rows);
        _owner = owner;
        Data = data;
    }

    public string Name { get; }

    public StorageType Type { get; }

    /// <summary>One or two dimensions, outermost first.</summary>
    public IReadOnlyList<long> Shape { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Size of the stored form.</summary>
    public long Bytes { get; }

    public long Count => (long)Rows * Columns;

    /// <summary>The gradient of a trainable weight, null for a frozen one.</summary>
    public Tensor? Gradient { get; private init; }

    public bool Trainable => Gradient is not null;

    /// <summary>Counts the changes of the values, so that what was worked out from them can be kept until the next one.</summary>
    internal int Version { get; private set; }

    internal byte* Data { get; }

    /// <summary>The values of an F32 weight as a tensor over the same memory.</summary>
    internal float* Floats => Type == StorageType.F32
        ? (float*)Data
        : throw new InvalidOperationException($"{Name} is stored as {Type}, not as F32");

    /// <summary>A new F32 weight of zeros in memory of its own.</summary>
    public static Weight Zeros(string name, bool trainable, params long[] shape)
    {
        var count = shape.Aggregate(1L, (a, b) => checked(a * b));
        var buffer = new NativeBuffer(count * sizeof(float));
        return new Weight(name, StorageType.F32, shape, buffer, (byte*)buffer.Floats)
        {
            Gradient = trainable ? Tensor.Persistent(shape.Length == 2 ? (int)shape[0] : 1, (int)shape[^1]) : null,
        };
    }

    /// <summary>A new F32 weight with these values, row after row.</summary>
    public static Weight FromValues(string name, bool trainable, ReadOnlySpan<float> values, params long[] shape)
    {
        var weight = Zeros(name, trainable, shape);
        weight.SetValues(values);
        return weight;
    }

    /// <summary>An F32 copy in memory of its own, to be trained or because its stored type is awkward.</summary>
    public Weight Widened(bool trainable, string? name = null)
    {
        var copy = Zeros(name ?? Name, trainable, [.. Shape]);
        CopyRows(0, Rows, copy.Floats);
        return copy;
    }

    /// <summary>
    /// A copy in the same stored type whose row r is this weight's row order[r]. The elements of a vector (a bias) go with
    /// the rows of its matrix; they must not be in blocks.
    /// </summary>
    public Weight WithRows(IReadOnlyList<int> order)
    {
        var (rows, columns) = Shape.Count == 1 ? (Columns, 1) : (Rows, Columns);
        if (order.Count != rows)
        {
            throw new ArgumentException($"{Name} has {rows} rows, {order.Count} were named", nameof(order));
        }

        var rowBytes = BlockFormats.RowBytes(Type, columns);
        var buffer = new NativeBuffer(Bytes, zero: false);
        var to = (byte*)buffer.Floats;
        for (var r = 0; r < rows; r++)
        {
            Buffer.MemoryCopy(Data + order[r] * rowBytes, to + r * rowBytes, rowBytes, rowBytes);
        }

        return new Weight(Name, Type, [.. Shape], buffer, to);
    }

    /// <summary>A copy [columns, rows] of a matrix [rows, columns], in the same stored type, or as F32 where that is in blocks.</summary>
    public Weight Turned()
    {
        var from = BlockFormats.BlockElements(Type) == 1 ? this : Widened(trainable: false);
        var size = (int)BlockFormats.RowBytes(from.Type, 1);
        var buffer = new NativeBuffer(from.Bytes, zero: false);
        var to = (byte*)buffer.Floats;
        for (var r = 0; r < Rows; r++)
        {
            for (var c = 0; c < Columns; c++)
            {
                new ReadOnlySpan<byte>(from.Data + ((long)r * Columns + c) * size, size).CopyTo(new Span<byte>(to + ((long)c * Rows + r) * size, size));
            }
        }

        return new Weight(Name, from.Type, [Columns, Rows], buffer, to);
    }

    /// <summary>Copies elements from <paramref name="start"/> on (row-major) of an F32 weight.</summary>
    public void CopyTo(long start, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, Count);
        new ReadOnlySpan<float>(Floats + start, destination.Length).CopyTo(destination);
    }

    /// <summary>One row widened to floats.</summary>
    public unsafe void CopyRow(int row, float[] destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Columns);
        fixed (float* to = destination)
        {
            CopyRows(row, 1, to);
        }
    }

    /// <summary>All values widened to floats, row after row.</summary>
    public float[] ToArray()
    {
        var values = new float[Count];
        fixed (float* to = values)
        {
            CopyRows(0, Rows, to);
        }

        return values;
    }

    /// <summary>Overwrites the values of an F32 weight.</summary>
    public void SetValues(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
        {
            throw new ArgumentException($"{Name} has {Count} elements, {values.Length} were given", nameof(values));
        }

        values.CopyTo(new Span<float>(Floats, checked((int)Count)));
        Changed();
    }

    /// <summary>To be told by whoever writes values in place.</summary>
    internal void Changed() => Version++;

    internal byte* Row(long row) => Data + row * BlockFormats.RowBytes(Type, Columns);

    internal void CopyRows(int first, int count, float* destination)
    {
        for (var r = 0; r < count; r++)
        {
            BlockFormats.Decode(Type, Row(first + r), 0, destination + (long)r * Columns, Columns);
        }

        GC.KeepAlive(_owner);
    }
}
