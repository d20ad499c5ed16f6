using System.Text.Json;

namespace Apprentice.Models.Weights;

/// <summary>Parses and checks the JSON header of a safetensors file.</summary>
internal static class SafetensorsHeader
{
    private const int LongestHeader = 100_000_000; // the reference's limit
    private const int MostDimensions = 16;
    private const int EntryOverhead = 320; // about what a tensor costs us besides its name

    public static SafetensorsFile Read(BoundedReader reader)
    {
        var length = reader.ReadCount("the length of the header", itemBytes: 1);
        if (length > LongestHeader)
        {
            throw reader.Error($"the header is {length} bytes long; the most is {LongestHeader}");
        }

        var header = reader.ReadArray<byte>(length, "the header");
        if (length == 0 || header[0] != '{')
        {
            throw reader.Error("not a safetensors file: the header is not a JSON object");
        }

        var (metadata, tensors) = WeightFileJson.Parse(reader, header, "the header", ReadEntries);
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteLength.CompareTo(b.ByteLength));
        var start = reader.Position;
        var end = 0L;
        for (var i = 0; i < tensors.Count; i++)
        {
            var tensor = tensors[i];
            if (tensor.Offset != end)
            {
                throw reader.Error($"tensor '{tensor.Name}' begins at byte {tensor.Offset} of the data instead of {end}: tensors must follow each other without hole or overlap");
            }

            end += tensor.ByteLength;
            tensors[i] = tensor with { Offset = start + tensor.Offset };
        }

        return start + end == reader.Length ? new SafetensorsFile(reader.Path, metadata, tensors)
            : end > reader.Length - start ? throw reader.CutShort($"it has {reader.Length:N0} bytes and its tensors need {(Int128)start + end:N0}")
            : throw reader.Error($"the tensors end at byte {start + end:N0}, and the file has {reader.Length:N0} bytes: it is damaged");
    }

    private static (Dictionary<string, string> Metadata, List<SafetensorsTensorInfo> Tensors) ReadEntries(ref Utf8JsonReader json, BoundedReader reader)
    {
        var metadata = new Dictionary<string, string>();
        var tensors = new List<SafetensorsTensorInfo>();
        var names = new HashSet<string>();
        WeightFileJson.BeginObject(ref json);
        while (WeightFileJson.NextName(ref json, reader) is { } name)
        {
            reader.Charge(EntryOverhead);
            if (!names.Add(name))
            {
                throw reader.Error($"'{name}' stands in the header twice");
            }

            if (name == "__metadata__")
            {
                WeightFileJson.ReadStrings(ref json, reader, metadata);
            }
            else
            {
                tensors.Add(ReadTensor(ref json, reader, name));
            }
        }

        return (metadata, tensors);
    }

    private static SafetensorsTensorInfo ReadTensor(ref Utf8JsonReader json, BoundedReader reader, string name)
    {
        string? dtype = null;
        long[]? shape = null;
        long[]? offsets = null;
        WeightFileJson.BeginObject(ref json);
        while (WeightFileJson.NextName(ref json, reader) is { } field)
        {
            switch (field)
            {
                case "dtype" when dtype is null:
                    dtype = WeightFileJson.ReadString(ref json, reader);
                    break;
                case "shape" when shape is null:
                    shape = WeightFileJson.ReadSizes(ref json, MostDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = WeightFileJson.ReadSizes(ref json, 2);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw reader.Error($"tensor '{name}': '{field}' stands there twice");
                default:
                    json.Skip();
                    break;
            }
        }

        if (dtype is null || shape is null || offsets is null)
        {
            throw reader.Error($"tensor '{name}' has no '{(dtype is null ? "dtype" : shape is null ? "shape" : "data_offsets")}'");
        }

        return Check(reader, name, dtype, shape, offsets);
    }

    private static SafetensorsTensorInfo Check(BoundedReader reader, string name, string dtype, long[] shape, long[] offsets)
    {
        if (!SafetensorsType.All.TryGetValue(dtype, out var type))
        {
            throw reader.Error($"tensor '{name}' has the unknown dtype '{dtype}'");
        }

        var bits = (UInt128)(uint)type.Bits;
        foreach (var size in shape)
        {
            bits *= (ulong)size;
            if (bits > long.MaxValue)
            {
                throw reader.Error($"tensor '{name}': the product of its shape overflows");
            }
        }

        if (offsets.Length != 2 || offsets[0] > offsets[1])
        {
            throw reader.Error($"tensor '{name}': data_offsets must be [begin, end] with begin not after end");
        }

        var bytes = offsets[1] - offsets[0];
        return bits == (UInt128)(ulong)bytes * 8
            ? new SafetensorsTensorInfo(name, type.Name, shape, offsets[0], bytes)
            : throw reader.Error($"tensor '{name}': {dtype} of shape [{string.Join(", ", shape)}] does not take the {bytes} bytes that data_offsets gives");
    }
}
