using Apprentice.Data;

namespace Apprentice.Models.Weights;

/// <summary>Parses and checks a GGUF header: magic, version, counts, metadata, tensor entries, the place of their data.</summary>
internal static class GgufHeader
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const int LongestName = 65535; // the specification's limit for keys
    private const int DeepestArray = 4; // nested arrays are legal and unheard of

    // The least bytes that an entry takes, and about what one costs us: its objects and its share of growing tables.
    private const int SmallestValueBytes = 8 + 4 + 1;
    private const int SmallestTensorBytes = 8 + 4 + 4 + 8;
    private const int EntryOverhead = 256;

    public static GgufFile Read(BoundedReader reader)
    {
        if (reader.ReadUInt32("the magic number") != Magic)
        {
            throw new InputException(
                GgufFile.ErrorCode, "not a GGUF file: it does not begin with 'GGUF'", reader.Path, hint: "a model is a .gguf file, or the folder of a Hugging Face model with its config.json");
        }

        var version = reader.ReadUInt32("the version");
        if (version is not (2 or 3))
        {
            throw reader.Error((version & 0xFFFF) == 0 && version != 0
                ? "a big-endian GGUF file, which is not supported: convert the model again for a little-endian machine"
                : $"GGUF version {version} is not supported: versions 2 and 3 are");
        }

        var tensorCount = reader.ReadCount("the number of tensors", SmallestTensorBytes);
        var valueCount = reader.ReadCount("the number of metadata values", SmallestValueBytes);
        var values = ReadValues(reader, valueCount);
        var metadata = new GgufMetadata(reader.Path, values);
        var alignment = ReadAlignment(reader, metadata);
        var tensors = ReadTensors(reader, tensorCount, alignment);
        return new GgufFile(reader.Path, version, alignment, metadata, tensors);
    }

    private static Dictionary<string, GgufValue> ReadValues(BoundedReader reader, int count)
    {
        var values = new Dictionary<string, GgufValue>();
        for (var i = 0; i < count; i++)
        {
            reader.Charge(EntryOverhead);
            var key = reader.ReadString($"metadata key {i}", lenient: false, LongestName);
            var value = ReadValue(reader, reader.ReadUInt32("a metadata value's type"), key, depth: 0);
            if (!values.TryAdd(key, value))
            {
                throw reader.Error($"metadata key '{key}' stands there twice");
            }
        }

        return values;
    }

    private static GgufValue ReadValue(BoundedReader reader, uint type, string key, int depth)
    {
        var kind = ValueType(reader, type, key);
        if (kind == GgufValueType.Array)
        {
            return ReadArray(reader, key, depth);
        }

        object value = kind switch
        {
            GgufValueType.UInt8 => reader.ReadByte(key),
            GgufValueType.Int8 => reader.Read<sbyte>(key),
            GgufValueType.UInt16 => reader.Read<ushort>(key),
            GgufValueType.Int16 => reader.Read<short>(key),
            GgufValueType.UInt32 => reader.Read<uint>(key),
            GgufValueType.Int32 => reader.Read<int>(key),
            GgufValueType.Float32 => reader.Read<float>(key),
            GgufValueType.UInt64 => reader.Read<ulong>(key),
            GgufValueType.Int64 => reader.Read<long>(key),
            GgufValueType.Float64 => reader.Read<double>(key),
            GgufValueType.Bool => Bool(reader, reader.ReadByte(key), key),
            _ => reader.ReadString(key, lenient: true),
        };
        return new GgufValue(kind, null, value);
    }

    private static GgufValue ReadArray(BoundedReader reader, string key, int depth)
    {
        if (depth == DeepestArray)
        {
            throw reader.Error($"metadata '{key}': arrays within arrays more than {DeepestArray} deep");
        }

        var type = reader.ReadUInt32(key);
        var kind = ValueType(reader, type, key);
        var count = reader.ReadCount("the length of ", ElementBytes(kind), key);
        object values = kind switch
        {
            GgufValueType.UInt8 => reader.ReadArray<byte>(count, key),
            GgufValueType.Int8 => reader.ReadArray<sbyte>(count, key),
            GgufValueType.UInt16 => reader.ReadArray<ushort>(count, key),
            GgufValueType.Int16 => reader.ReadArray<short>(count, key),
            GgufValueType.UInt32 => reader.ReadArray<uint>(count, key),
            GgufValueType.Int32 => reader.ReadArray<int>(count, key),
            GgufValueType.Float32 => reader.ReadArray<float>(count, key),
            GgufValueType.UInt64 => reader.ReadArray<ulong>(count, key),
            GgufValueType.Int64 => reader.ReadArray<long>(count, key),
            GgufValueType.Float64 => reader.ReadArray<double>(count, key),
            GgufValueType.Bool => ReadBools(reader, count, key),
            GgufValueType.String => Many(reader, count, 8, () => reader.ReadString(key, lenient: true)),
            _ => Many(reader, count, EntryOverhead, () => ReadValue(reader, type, key, depth + 1)),
        };
        return new GgufValue(GgufValueType.Array, kind, values);
    }

    private static bool[] ReadBools(BoundedReader reader, int count, string key)
    {
        reader.Charge(count);
        return Array.ConvertAll(reader.ReadArray<byte>(count, key), value => Bool(reader, value, key));
    }

    private static T[] Many<T>(BoundedReader reader, int count, int overhead, Func<T> read)
    {
        reader.Charge((long)count * overhead);
        var values = new T[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = read();
        }

        return values;
    }

    private static GgufValueType ValueType(BoundedReader reader, uint type, string key) =>
        type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw reader.Error($"metadata '{key}' has value type {type}, which does not exist");

    private static bool Bool(BoundedReader reader, byte value, string key) =>
        value <= 1 ? value == 1 : throw reader.Error($"metadata '{key}' is a bool of {value}: only 0 and 1 are valid");

    private static int ElementBytes(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 4 + 8,
        _ => 8,
    };

    private static int ReadAlignment(BoundedReader reader, GgufMetadata metadata)
    {
        const string Key = "general.alignment";
        var alignment = metadata.FindSize(Key) ?? 32;
        return int.IsPow2(alignment) ? alignment : throw reader.Error($"metadata '{Key}' is {alignment}: it must be a power of two");
    }

    private static GgufTensorInfo[] ReadTensors(BoundedReader reader, int count, int alignment)
    {
        reader.Charge((long)count * EntryOverhead);
        var tensors = new GgufTensorInfo[count];
        var names = new HashSet<string>();
        for (var i = 0; i < count; i++)
        {
            tensors[i] = ReadTensor(reader, i, alignment);
            if (!names.Add(tensors[i].Name))
            {
                throw reader.Error($"tensor '{tensors[i].Name}' stands there twice");
            }
        }

        // Only now is it known where the data begin.
        var start = (reader.Position + alignment - 1) / alignment * alignment;
        var needed = tensors.Aggregate((Int128)0, (most, t) => Int128.Max(most, (Int128)start + t.Offset + t.ByteLength));
        if (needed > reader.Length)
        {
            throw reader.CutShort($"it has {reader.Length:N0} bytes and its tensors need {needed:N0}");
        }

        for (var i = 0; i < count; i++)
        {
            tensors[i] = tensors[i] with { Offset = start + tensors[i].Offset };
        }

        RefuseOverlap(reader, tensors);
        return tensors;
    }

    private static GgufTensorInfo ReadTensor(BoundedReader reader, int index, int alignment)
    {
        var name = reader.ReadString($"the name of tensor {index}", lenient: false, LongestName);
        var rank = reader.ReadUInt32("a tensor's number of dimensions");
        if (rank > 4)
        {
            throw reader.Error($"tensor '{name}' has {rank} dimensions; the most is 4");
        }

        var dimensions = new long[rank];
        var elements = 1L;
        for (var d = 0; d < dimensions.Length; d++)
        {
            var size = reader.ReadUInt64("a tensor's dimension");
            var product = (UInt128)elements * size;
            if (size > long.MaxValue || product > long.MaxValue)
            {
                throw reader.Error($"tensor '{name}': the product of its dimensions overflows");
            }

            dimensions[d] = (long)size;
            elements = (long)product;
        }

        var typeId = reader.ReadUInt32("a tensor's type");
        if (!GgmlType.All.TryGetValue(typeId, out var type))
        {
            throw reader.Error($"tensor '{name}' has type {typeId}, which ggml does not have (any more) or which is newer than this program");
        }

        var row = rank == 0 ? 1 : dimensions[0];
        if (row % type.BlockElements != 0)
        {
            throw reader.Error($"tensor '{name}' has rows of {row} elements: {type.Name} needs a multiple of {type.BlockElements}");
        }

        var bytes = (UInt128)(elements / type.BlockElements) * (uint)type.BlockBytes;
        var offset = reader.ReadUInt64("a tensor's offset");
        if (bytes > long.MaxValue || offset > long.MaxValue)
        {
            throw reader.Error($"tensor '{name}' ({bytes} bytes at offset {offset} of the data) fits into no file");
        }

        return offset % (uint)alignment == 0
            ? new GgufTensorInfo(name, typeId, type.Name, dimensions, (long)offset, (long)bytes)
            : throw reader.Error($"tensor '{name}' lies at offset {offset}, not a multiple of the alignment {alignment}");
    }

    private static void RefuseOverlap(BoundedReader reader, GgufTensorInfo[] tensors)
    {
        var inOrder = tensors.Where(t => t.ByteLength > 0).OrderBy(t => t.Offset).ToArray();
        for (var i = 1; i < inOrder.Length; i++)
        {
            if (inOrder[i].Offset < inOrder[i - 1].Offset + inOrder[i - 1].ByteLength)
            {
                throw reader.Error($"tensors '{inOrder[i - 1].Name}' and '{inOrder[i].Name}' overlap");
            }
        }
    }
}
