using System.Text.Json;
using Apprentice.Models.Weights;
using Apprentice.Tensors.Kernels;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

[Trait("Category", "Golden")]
public class HalfPrecisionGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void GgufBitPatternsConvertBothWays()
    {
        var folder = GoldenData.RequireFolder("gguf/types");
        using var widen = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "special_f16.json")));
        using var round = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "round_f32.json")));
        var count = 0;
        foreach (var (half, single) in Numbers(widen, "f16_bits").Zip(Numbers(widen, "f32_bits")))
        {
            Assert.Equal(single, BitConverter.SingleToUInt32Bits(HalfPrecision.FromF16((ushort)half)));
            count++;
        }

        var rounded = Numbers(round, "f16_bits").Zip(Numbers(round, "bf16_bits"));
        foreach (var (single, (f16, bf16)) in Numbers(round, "f32_bits").Zip(rounded))
        {
            Assert.Equal(f16, HalfPrecision.ToF16(BitConverter.UInt32BitsToSingle(single)));
            Assert.Equal(bf16, HalfPrecision.ToBF16(BitConverter.UInt32BitsToSingle(single)));
            count++;
        }

        output.WriteLine($"{count} cases passed, 0 skipped");
    }

    [SkippableFact]
    public void RoundingIsTheReferences()
    {
        var folder = GoldenData.RequireFolder("training/mixed");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "rounding.json")));
        var inputs = Numbers(golden, "float32").Select(BitConverter.UInt32BitsToSingle).ToArray();
        var (passed, skipped) = (0, 0);
        foreach (var member in golden.RootElement.EnumerateObject())
        {
            Func<float, uint>? convert = member.Name switch
            {
                "bfloat16" => x => HalfPrecision.ToBF16(x),
                "bfloat16_as_float32" => x => BitConverter.SingleToUInt32Bits(HalfPrecision.FromBF16(HalfPrecision.ToBF16(x))),
                "float16" => x => HalfPrecision.ToF16(x),
                "float16_as_float32" => x => BitConverter.SingleToUInt32Bits(HalfPrecision.FromF16(HalfPrecision.ToF16(x))),
                _ => null,
            };
            if (convert is null)
            {
                skipped += member.Name.StartsWith("float8_e", StringComparison.Ordinal) ? inputs.Length : 0;
                continue;
            }

            foreach (var (x, expected) in inputs.Zip(Numbers(golden, member.Name)))
            {
                var actual = convert(x);
                Assert.True(float.IsNaN(x) ? IsNaN(member.Name, actual) : expected == actual, $"{member.Name} of {x:R}: 0x{actual:X}, reference 0x{expected:X}");
                passed++;
            }
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because 8-bit floats are not supported");
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void ProductOfBF16Matrices()
    {
        var file = SafetensorsFile.Open(Path.Combine(GoldenData.RequireFolder("training/mixed"), "bf16_matmul.safetensors"));
        var (a, b) = (file.ReadFloats("a"), file.ReadFloats("b"));
        var (exact, rounded) = (file.ReadFloats("exact_float32"), file.ReadFloats("rounded_bf16"));
        var (rows, inner) = ((int)file.Find("a")!.Shape[0], (int)file.Find("a")!.Shape[1]);
        var columns = (int)file.Find("b")!.Shape[0];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var sum = 0.0;
                for (var k = 0; k < inner; k++)
                {
                    sum += (double)a[(i * inner) + k] * b[(j * inner) + k];
                }

                Assert.Equal(exact[(i * columns) + j], sum, 1e-5);
                Assert.Equal(rounded[(i * columns) + j], HalfPrecision.FromBF16(HalfPrecision.ToBF16((float)sum)));
            }
        }

        output.WriteLine($"{rows * columns} cases passed, 0 skipped");
    }

    private static bool IsNaN(string type, uint bits) => float.IsNaN(type switch
    {
        "bfloat16" => HalfPrecision.FromBF16((ushort)bits),
        "float16" => HalfPrecision.FromF16((ushort)bits),
        _ => BitConverter.UInt32BitsToSingle(bits),
    });

    private static IEnumerable<uint> Numbers(JsonDocument document, string name) =>
        document.RootElement.GetProperty(name).EnumerateArray().Select(n => n.GetUInt32());
}
