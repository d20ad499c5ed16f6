using System.Buffers.Binary;
using Apprentice.Data;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Models.Weights;

/// <summary>Ten thousand damaged files of each kind end in success or a clear error, soon and without large allocations.</summary>
[Trait("Category", "Hostile")]
public class HostileFilesTests(ITestOutputHelper output)
{
    private const int Files = 10_000;
    private const long Allowance = 64L << 20;

    [Fact]
    public void Gguf() => Attack("a.gguf", SampleFiles.Gguf(), path =>
    {
        var file = GgufFile.Open(path);
        Try(() => file.Metadata.GetString("general.architecture"));
        Try(() => file.Metadata.GetSize("llama.block_count"));
        Try(() => file.Metadata.GetInts("types"));
        foreach (var tensor in file.Tensors)
        {
            if (tensor.TypeName != "IQ3_S")
            {
                Try(() => file.ReadFloats(tensor.Name));
            }
        }
    });

    /// <summary>A tensor of each type that is read, its rows two blocks; changes fall into shapes, types and the blocks themselves.</summary>
    [Fact]
    public void GgufOfEveryType() => Attack("a.gguf", SampleFiles.GgufOfEveryType(), path =>
    {
        var file = GgufFile.Open(path);
        foreach (var tensor in file.Tensors)
        {
            Try(() => file.ReadFloats(tensor.Name));
        }
    });

    [Fact]
    public void Safetensors() => Attack("a.safetensors", SampleFiles.Safetensors(), path =>
    {
        var file = SafetensorsFile.Open(path);
        foreach (var tensor in file.Tensors)
        {
            Try(() => file.ReadFloats(tensor.Name));
        }
    });

    [Fact]
    public void SafetensorsIndexes() => Attack(
        "a.json",
        """{"metadata":{"total_size":12},"weight_map":{"a":"model-00001-of-00002.safetensors","b.c":"model-00002-of-00002.safetensors"}}"""u8.ToArray(),
        path =>
        {
            foreach (var shard in SafetensorsIndex.Open(path).Shards)
            {
                Assert.Equal(Path.GetDirectoryName(path), Path.GetDirectoryName(shard));
            }
        });

    [Fact]
    public void AdapterConfigs()
    {
        using var folder = new ScratchFolder();
        PeftConfigFile.Write(folder.File("sound.json"), SampleFiles.AdapterConfig);
        Attack("a.json", File.ReadAllBytes(folder.File("sound.json")), path =>
        {
            var config = PeftConfigFile.Read(path);
            config.ScaleOf("model.layers.1.q_proj");
            config.Targets("model.layers.1.q_proj");
        });
    }

    /// <summary>Read for a model, as <c>--model</c> does it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Adapters(bool dora)
    {
        using var model = TinyModel.Make();
        using var sound = new ScratchFolder();
        var config = dora
            ? SampleFiles.AdapterConfig with { UseDora = true }
            : SampleFiles.AdapterConfig with { TargetModules = ["q_proj", "embed_tokens"], LayersToTransform = null, ModulesToSave = ["model.norm"], Bias = BiasTraining.All };
        LoraAdapter.Create(model, config, 1).Save(sound.Path, "base");
        var settings = File.ReadAllBytes(sound.File(PeftConfigFile.Name));
        Attack(PeftAdapter.WeightsName, File.ReadAllBytes(sound.File(PeftAdapter.WeightsName)), path =>
        {
            var folder = Path.GetDirectoryName(path)!;
            if (!File.Exists(Path.Combine(folder, PeftConfigFile.Name)))
            {
                File.WriteAllBytes(Path.Combine(folder, PeftConfigFile.Name), settings);
            }

            Assert.NotEmpty(LoraAdapter.Load(model, folder).Weights);
        });
    }

    [Fact]
    public void GgufAdapters()
    {
        using var scratch = new ScratchFolder();
        var folder = TinyModel.Folder(scratch);
        using (var bare = LoadedModel.Open(folder))
        {
            LoraAdapter.Create(bare.Model, SampleFiles.AdapterConfig with { TargetModules = ["q_proj", "embed_tokens"], LayersToTransform = null }, 1).Save(scratch.Path, folder);
        }

        using var model = LoadedModel.Open(folder, adapter: scratch.Path);
        using var sound = new MemoryStream();
        GgufAdapterExport.Write(model, "a", "base", sound);
        Attack("a.gguf", sound.ToArray(), path =>
        {
            GgufAdapter.Is(path);
            Assert.NotEmpty(LoraAdapter.Load(model.Model, path).Weights);
        });
    }

    /// <summary>Files whose every byte is part of an entry: the table of entries must not cost many times the file.</summary>
    [Theory]
    [InlineData(8, 8)] // empty strings
    [InlineData(9, 12)] // empty arrays of bytes
    [InlineData(7, 1)] // bools
    public void GgufOfVeryManyTinyItems(int elementType, int itemBytes)
    {
        const int Size = 24 << 20;
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write(0UL);
        w.Write(1UL);
        w.Write(1UL);
        w.Write((byte)'k');
        w.Write(9u);
        w.Write((uint)elementType);
        w.Write((ulong)(Size / itemBytes));
        w.Write(new byte[Size]);
        using var folder = new ScratchFolder();
        AssertModest(folder.Write("many.gguf", stream.ToArray()), path => GgufFile.Open(path));
    }

    [Fact]
    public void SafetensorsOfVeryManyTinyTensors()
    {
        var entries = Enumerable.Range(0, 400_000).Select(i => $"\"{i:x}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
        var header = System.Text.Encoding.UTF8.GetBytes("{" + string.Join(",", entries) + "}");
        var bytes = new byte[8 + header.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes, 8);
        using var folder = new ScratchFolder();
        AssertModest(folder.Write("many.safetensors", bytes), path => SafetensorsFile.Open(path));
    }

    /// <summary>Expressions that take exponential time or much memory elsewhere.</summary>
    [Theory]
    [InlineData("(a+)+$")]
    [InlineData("(a|aa)*b")]
    [InlineData("((((a{1000}){1000}){1000}){1000})")]
    [InlineData("(a{30}){30}|(b{30}){30}")]
    [InlineData("((((((((((((((((((((((((((((((((((((((((a?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?")]
    [InlineData(@"(\w\d*\w?){40}")]
    [InlineData(@"(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}(.?){120}")]
    [InlineData(@"\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?\w?\d?")]
    [InlineData(@"(.*a.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?.?)*b")]
    [InlineData(".*a....................")]
    [InlineData("(.*a.?.?.?.?.?.?.?.?)*b")]
    [InlineData(@"(?<x>a)\k<x>")]
    [InlineData("(?!a)b")]
    [InlineData("(")]
    public void PatternsOfStrangersAreBounded(string key)
    {
        var escaped = System.Text.Json.JsonSerializer.Serialize(key);
        var keys = string.Join(",", Enumerable.Range(0, 16).Select(i => $"{escaped[..^1]}|x{i}\":2"));
        using var folder = new ScratchFolder();
        var path = folder.Write("a.json", System.Text.Encoding.UTF8.GetBytes($"{{\"peft_type\":\"LORA\",\"r\":1,\"rank_pattern\":{{{keys}}}}}"));
        AssertModest(path, p => PeftConfigFile.Read(p).RankOf(new string('a', 60)));
    }

    private void Attack(string name, byte[] sound, Action<string> open)
    {
        using var folder = new ScratchFolder();
        open(folder.Write(name, sound)); // sound as it is, and compiled before the clock runs
        var random = new Random(1);
        var accepted = 0;
        for (var i = 0; i < Files; i++)
        {
            accepted += AssertModest(folder.Write(name, Damage(sound, random)), open) ? 1 : 0;
        }

        output.WriteLine($"{Files} damaged files: {accepted} still sound, {Files - accepted} refused");
    }

    /// <summary>Whether the file was accepted.</summary>
    private bool AssertModest(string path, Action<string> open)
    {
        var length = new FileInfo(path).Length;
        var clock = ThreadClock.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = RefusalOf(path, open);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (length > 1 << 20 || allocated > 8 << 20)
        {
            output.WriteLine($"{length} bytes: {allocated} allocated, {clock.Elapsed.TotalMilliseconds:0} ms, {refusal?.Message ?? "accepted"}");
        }

        Assert.True(allocated <= length + Allowance, $"{allocated} bytes allocated for a file of {length}");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"{clock.Elapsed} for a file of {length} bytes");
        return refusal is null;
    }

    private static InputException? RefusalOf(string path, Action<string> open)
    {
        try
        {
            open(path);
            return null;
        }
        catch (InputException e)
        {
            Assert.NotEmpty(e.Message);
            return e;
        }
    }

    private static void Try(Func<object?> read)
    {
        try
        {
            read();
        }
        catch (InputException)
        {
            // a clear answer too
        }
    }

    /// <summary>One to four changes: bytes, bits, numbers of dangerous size, cuts, repeats, insertions.</summary>
    private static byte[] Damage(byte[] sound, Random random)
    {
        ulong[] dangerous = [0, 1, 7, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1UL << 32, 1UL << 40, long.MaxValue, 1UL << 63, ulong.MaxValue - 7, ulong.MaxValue];
        var bytes = sound.ToList();
        for (var change = random.Next(4); change >= 0 && bytes.Count > 8; change--)
        {
            var at = random.Next(bytes.Count);
            var count = Math.Min(1 + random.Next(16), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    var number = BitConverter.GetBytes(dangerous[random.Next(dangerous.Length)]);
                    for (var i = 0; i < Math.Min(random.Next(2) == 0 ? 4 : 8, bytes.Count - at); i++)
                    {
                        bytes[at + i] = number[i];
                    }

                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - count + 1), count));
                    break;
                case 5:
                    bytes.RemoveRange(at, count);
                    break;
                default:
                    bytes[at] = "0123456789\"{}[],:-.eE\\/"u8[random.Next(23)];
                    break;
            }
        }

        return [.. bytes];
    }
}
