using System.Text;
using Apprentice.Models.Weights;

namespace Apprentice.Tests.Models.Weights;

/// <summary>Small sound files to start from, made here so that these tests need no reference data.</summary>
internal static class SampleFiles
{
    /// <summary>A GGUF file with metadata of every shape and tensors of several types.</summary>
    public static byte[] Gguf()
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        (string Name, uint Type, long[] Dimensions, int Bytes)[] tensors =
        [
            ("token_embd.weight", 8, [32, 3], 102), ("blk.0.attn_q.weight", 2, [64, 2], 72), ("norm.weight", 0, [5], 20),
            ("half", 1, [3], 6), ("k", 12, [256], 144), ("empty", 0, [0, 4], 0), ("scalar", 0, [], 4),
        ];
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((ulong)tensors.Length);
        w.Write(9UL);
        Value("general.architecture", 8, () => Text("llama"));
        Value("llama.block_count", 4, () => w.Write(2u));
        Value("rope", 6, () => w.Write(10000f));
        Value("add_bos", 7, () => w.Write(true));
        Value("big", 10, () => w.Write(ulong.MaxValue));
        Value("tokens", 9, () => Items(8, ["<s>", "", "é", new string('x', 300)], Text));
        Value("types", 9, () => Items(5, [1, -2, 3], w.Write));
        Value("scores", 9, () => Items(6, [0.5f, -1f], w.Write));
        Value("nested", 9, () => Items(9, [1, 2], n => Items(7, Enumerable.Repeat(true, n).ToArray(), w.Write)));
        var offset = 0L;
        foreach (var (name, type, dimensions, bytes) in tensors)
        {
            Text(name);
            w.Write((uint)dimensions.Length);
            Array.ForEach(dimensions, w.Write);
            w.Write(type);
            w.Write(offset);
            offset += (bytes + 31) / 32 * 32;
        }

        w.Write(new byte[(32 - (stream.Position % 32)) % 32]);
        w.Write([.. Enumerable.Range(0, (int)offset).Select(i => (byte)(i % 60))]);
        return stream.ToArray();

        void Text(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            w.Write((ulong)utf8.Length);
            w.Write(utf8);
        }

        void Value(string key, uint type, Action write)
        {
            Text(key);
            w.Write(type);
            write();
        }

        void Items<T>(uint type, T[] items, Action<T> write)
        {
            w.Write(type);
            w.Write((ulong)items.Length);
            Array.ForEach(items, write);
        }
    }

    public static byte[] Safetensors()
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(
            stream,
            [
                new("model.embed_tokens.weight", [4, 3], Ramp(12)),
                new("norm", [5], Ramp(5)),
                new("half", [2, 1, 2], Fill, Apprentice.Tensors.StorageType.F16),
                new("scalar", [], Ramp(1)),
                new("empty", [0, 7], Ramp(0)),
            ],
            new Dictionary<string, string> { ["format"] = "pt", ["note"] = "é" });
        return stream.ToArray();
    }

    public static PeftConfig AdapterConfig { get; } = new()
    {
        Rank = 2,
        Alpha = 8,
        Dropout = 0.05,
        TargetModules = ["q_proj", "v_proj"],
        LayersToTransform = [0, 1],
        RankPattern = new([new("v_proj", 3), new(@"layers\.\d+\.q_proj", 4)]),
        AlphaPattern = new([new("layers.1.q_proj", 2.5)]),
        BaseModel = "some/base",
        TaskType = "CAUSAL_LM",
    };

    public static float[] Ramp(int count) => [.. Enumerable.Range(0, count).Select(i => (i - 2) * 0.25f)];

    public static void Fill(long start, Span<float> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = (start + i) * 0.5f;
        }
    }
}

/// <summary>A folder that goes away with the test.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("apprentice-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(File(name), bytes);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
