using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Models.Weights;

/// <summary>A tensor's bytes in a file to floats, for both file formats.</summary>
internal static class TensorReading
{
    public static float[] ReadFloats(BoundedReader reader, string name, StorageType type, long offset, long bytes, long elements)
    {
        if (bytes > Array.MaxLength || elements > Array.MaxLength)
        {
            throw reader.Error($"tensor '{name}' is too large ({bytes} bytes) to be read at once");
        }

        if (offset + bytes > reader.Length)
        {
            throw reader.Error($"tensor '{name}' is not there any more: the file has become shorter");
        }

        var values = new float[elements];
        BlockFormats.ToFloats(type, reader.ReadAt(offset, (int)bytes), 0, values);
        return values;
    }
}
