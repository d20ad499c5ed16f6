using System.Runtime.CompilerServices;

namespace Apprentice.Tensors.Kernels;

/// <summary>
/// Floats to ggml's blocks of 32, byte for byte as its own quantisation does it: codes are found by the scale before that is
/// rounded to float16.
/// </summary>
internal static unsafe class BlockEncoding
{
    /// <summary>The largest magnitude becomes 127; codes are rounded half away from zero.</summary>
    public static void Q8_0(float* source, byte* destination, int count)
    {
        for (var end = source + count; source < end; source += 32, destination += BlockQ8_0.Bytes)
        {
            var scale = MathF.Abs(Furthest(source)) / 127;
            var inverse = Inverse(scale);
            Half(scale, destination);
            for (var i = 0; i < 32; i++)
            {
                destination[2 + i] = (byte)(sbyte)MathF.Round(source[i] * inverse, MidpointRounding.AwayFromZero);
            }
        }
    }

    /// <summary>The value furthest from zero becomes code 0, which stands for -8.</summary>
    public static void Q4_0(float* source, byte* destination, int count)
    {
        for (var end = source + count; source < end; source += 32, destination += BlockQ4_0.Bytes)
        {
            var scale = Furthest(source) / -8;
            var inverse = Inverse(scale);
            Half(scale, destination);
            for (var i = 0; i < 16; i++)
            {
                destination[2 + i] = (byte)(Code(source[i]) | Code(source[i + 16]) << 4);
            }

            // In double precision, as if multiplied and added in one instruction: compilers of ggml's code do that.
            int Code(float value) => Nibble((float)((double)value * inverse + 8.5));
        }
    }

    /// <summary>The smallest value becomes code 0, the largest 15.</summary>
    public static void Q4_1(float* source, byte* destination, int count)
    {
        for (var end = source + count; source < end; source += 32, destination += BlockQ4_1.Bytes)
        {
            var (smallest, largest) = (source[0], source[0]);
            for (var i = 1; i < 32; i++)
            {
                (smallest, largest) = (MathF.Min(smallest, source[i]), MathF.Max(largest, source[i]));
            }

            var scale = (largest - smallest) / 15;
            var inverse = Inverse(scale);
            Half(scale, destination);
            Half(smallest, destination + 2);
            for (var i = 0; i < 16; i++)
            {
                destination[4 + i] = (byte)(Code(source[i]) | Code(source[i + 16]) << 4);
            }

            int Code(float value) => Nibble((value - smallest) * inverse + 0.5f);
        }
    }

    /// <summary>The value of the largest magnitude, with its sign; of equals the first.</summary>
    private static float Furthest(float* source)
    {
        var furthest = 0f;
        for (var i = 0; i < 32; i++)
        {
            furthest = MathF.Abs(source[i]) > MathF.Abs(furthest) ? source[i] : furthest;
        }

        return furthest;
    }

    private static float Inverse(float scale) => scale == 0 ? 0 : 1 / scale;

    private static int Nibble(float value) => Math.Clamp((int)value, 0, 15);

    private static void Half(float value, byte* destination) => Unsafe.WriteUnaligned(destination, HalfPrecision.ToF16(value));
}
