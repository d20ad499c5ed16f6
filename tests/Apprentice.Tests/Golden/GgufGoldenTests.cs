using System.Text.Json;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Kernels;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

[Trait("Category", "Golden")]
public class GgufGoldenTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void TensorTypesWidenToTheReferenceValues()
    {
        var folder = GoldenData.RequireFolder("gguf/types");
        var (passed, skipped) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal))
        {
            var file = GgufFile.Open(path);
            var tensor = Assert.Single(file.Tensors);
            if (!Enum.TryParse<StorageType>(tensor.TypeName, out _))
            {
                var e = Assert.Throws<InputException>(() => file.StorageTypeOf(tensor));
                Assert.Contains(tensor.TypeName, e.Message);
                skipped++;
                continue;
            }

            var expected = Floats(Path.ChangeExtension(path, ".f32"));
            var actual = file.ReadFloats(tensor.Name);
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.True(UlpsApart(expected[i], actual[i]) <= 1, $"{Path.GetFileName(path)} element {i}: {actual[i]:R}, reference {expected[i]:R}");
            }

            passed++;
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because their types are not supported (each refused by name)");
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void WrittenTypesHaveTheBytesOfTheReference()
    {
        var folder = GoldenData.RequireFolder("gguf/types");
        var (passed, skipped) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(folder, "*.in.f32").Order(StringComparer.Ordinal))
        {
            var file = GgufFile.Open(path.Replace(".in.f32", ".gguf", StringComparison.Ordinal));
            var tensor = Assert.Single(file.Tensors);
            if (!Enum.TryParse<StorageType>(tensor.TypeName, out var type) || !BlockFormats.CanWrite(type))
            {
                skipped++;
                continue;
            }

            var bytes = new byte[tensor.ByteLength];
            BlockFormats.FromFloats(type, Floats(path), bytes);
            var expected = File.ReadAllBytes(file.Path).AsSpan((int)tensor.Offset, bytes.Length);
            Assert.True(expected.SequenceEqual(bytes), $"{tensor.TypeName}: byte {expected.CommonPrefixLength(bytes)} differs");
            passed++;
        }

        output.WriteLine($"{passed} cases passed, {skipped} skipped because their types are not written");
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void MetadataAndTensorEntriesAreTheReferences()
    {
        var folder = GoldenData.RequireFolder("gguf/metadata");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "kv.json")));
        var (passed, values) = (0, 0);
        foreach (var path in Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal))
        {
            if (path.Contains("big-endian", StringComparison.Ordinal))
            {
                Assert.Contains("big-endian", Assert.Throws<InputException>(() => GgufFile.Open(path)).Message);
                passed++;
                continue;
            }

            var file = GgufFile.Open(path);
            foreach (var kv in golden.RootElement.GetProperty("kv").EnumerateObject())
            {
                AssertValue(kv.Value, file.Metadata[kv.Name], kv.Name);
                values++;
            }

            var expected = golden.RootElement.GetProperty(Path.GetFileName(path));
            Assert.Equal(expected.GetProperty("alignment").GetInt32(), file.Alignment);
            Assert.Equal(expected.GetProperty("data_offset").GetInt64(), file.Tensors.Min(t => t.Offset));
            Assert.Equal(expected.GetProperty("tensors").GetPropertyCount(), file.Tensors.Count);
            foreach (var tensor in expected.GetProperty("tensors").EnumerateObject())
            {
                AssertTensor(tensor.Value, file, tensor.Name);
            }

            passed++;
        }

        output.WriteLine($"{passed} cases passed, 0 skipped ({values} metadata values)");
        Assert.True(passed > 0);
    }

    [SkippableFact]
    public void MalformedFilesAreRejectedAndSoundOnesAccepted()
    {
        var folder = GoldenData.RequireFolder("gguf/malformed");
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "manifest.json")));
        var passed = 0;
        var wrong = new List<string>();
        foreach (var entry in manifest.RootElement.EnumerateArray())
        {
            var name = entry.GetProperty("file").GetString()!;
            var path = Path.Combine(folder, name);
            var must = entry.GetProperty("must").GetString();
            var error = Record.Exception(() => name.EndsWith(".gguf", StringComparison.Ordinal) ? (object)GgufFile.Open(path) : SafetensorsFile.Open(path));
            var right = error switch
            {
                null => must != "reject",
                InputException e => must != "accept" && e.File == path,
                _ => false,
            };
            output.WriteLine($"{name}: {error?.Message ?? "accepted"}");
            if (right)
            {
                passed++;
            }
            else
            {
                wrong.Add($"{name} ({entry.GetProperty("why").GetString()}): must {must}, but {error?.ToString() ?? "accepted"}");
            }
        }

        output.WriteLine($"{passed} cases passed, 0 skipped");
        Assert.Empty(wrong);
    }

    private static void AssertValue(JsonElement expected, GgufValue actual, string name)
    {
        Assert.Equal(expected.GetProperty("type").GetString(), actual.Type.ToString().ToUpperInvariant());
        var value = expected.GetProperty("value");
        if (actual.Value is not Array array)
        {
            AssertScalar(value, actual.Value, name);
            return;
        }

        Assert.Equal(expected.GetProperty("of").GetString(), actual.ElementType.ToString()!.ToUpperInvariant());
        Assert.Equal(value.GetArrayLength(), array.Length);
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            AssertScalar(item, array.GetValue(i++)!, name);
        }
    }

    private static void AssertScalar(JsonElement expected, object actual, string name)
    {
        switch (actual)
        {
            case bool b:
                Assert.Equal(expected.GetBoolean(), b);
                break;
            case float f:
                Assert.Equal((float)expected.GetDouble(), f);
                break;
            case double d:
                Assert.Equal(expected.GetDouble(), d);
                break;
            default: // 64-bit integers are strings in the reference
                Assert.True(expected.ToString() == Convert.ToString(actual, System.Globalization.CultureInfo.InvariantCulture), $"{name}: {actual} instead of {expected}");
                break;
        }
    }

    private static void AssertTensor(JsonElement expected, GgufFile file, string name)
    {
        var tensor = file.Find(name);
        Assert.NotNull(tensor);
        Assert.Equal(expected.GetProperty("type").GetString(), tensor.TypeName);
        Assert.Equal(expected.GetProperty("offset").GetInt64(), tensor.Offset);
        Assert.Equal(expected.GetProperty("ne").EnumerateArray().Select(n => n.GetInt64()), tensor.Dimensions);
        if (Enum.TryParse<StorageType>(tensor.TypeName, out _))
        {
            Assert.Equal(expected.GetProperty("values").EnumerateArray().Select(v => v.GetSingle()), file.ReadFloats(name));
        }
    }

    private static long UlpsApart(float a, float b) =>
        float.IsNaN(a) && float.IsNaN(b) ? 0 : Math.Abs(Ordered(a) - Ordered(b));

    private static long Ordered(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return bits >= 0 ? bits : int.MinValue - (long)bits;
    }

    private static float[] Floats(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var floats = new float[bytes.Length / 4];
        Buffer.BlockCopy(bytes, 0, floats, 0, bytes.Length);
        return floats;
    }
}
