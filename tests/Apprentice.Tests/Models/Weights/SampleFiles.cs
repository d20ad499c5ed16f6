using Apprentice.Models.Weights;

namespace Apprentice.Tests.Models.Weights;

/// <summary>Small sound files to start from, made here so that these tests need no reference data.</summary>
internal static class SampleFiles
{
    /// <summary>A GGUF file with metadata of every shape and tensors of several types.</summary>
    public static byte[] Gguf()
    {
        var builder = new GgufBuilder()
            .Add("general.architecture", "llama")
            .Add("llama.block_count", 2u)
            .Add("rope", 10000f)
            .Add("add_bos", true)
            .Add("big", ulong.MaxValue)
            .Add("tokens", new[] { "<s>", "", "é", new string('x', 300) })
            .Add("types", new[] { 1, -2, 3 })
            .Add("scores", new[] { 0.5f, -1f })
            .Add("nested", new[] { new[] { true }, [true, true] });
        (string Name, uint Type, long[] Dimensions, int Bytes)[] tensors =
        [
            ("token_embd.weight", 8, [32, 3], 102), ("blk.0.attn_q.weight", 2, [64, 2], 72), ("norm.weight", 0, [5], 20),
            ("half", 1, [3], 6), ("k", 12, [256], 144), ("i", 21, [256], 110), ("empty", 0, [0, 4], 0), ("scalar", 0, [], 4),
        ];
        foreach (var (name, type, dimensions, bytes) in tensors)
        {
            builder.Tensor(name, type, dimensions, [.. Enumerable.Range(0, bytes).Select(i => (byte)(i % 60))]);
        }

        return builder.Build();
    }

    /// <summary>A tensor [2, two blocks] of each type that the engine computes with.</summary>
    public static byte[] GgufOfEveryType()
    {
        var builder = new GgufBuilder().Add("general.architecture", "llama");
        foreach (var type in GgmlType.All.Values.Where(t => t.Storage is not null))
        {
            builder.Tensor(type.Name, type.Id, [2 * type.BlockElements, 2], [.. Enumerable.Range(0, 4 * type.BlockBytes).Select(i => (byte)(i % 60))]);
        }

        return builder.Build();
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
