using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Tests.Models.Weights;

public class SafetensorsTests
{
    [Fact]
    public void WhatIsWrittenIsRead()
    {
        using var folder = new ScratchFolder();
        var file = SafetensorsFile.Open(folder.Write("a.safetensors", SampleFiles.Safetensors()));
        Assert.Equal(5, file.Tensors.Count);
        Assert.Equal("é", file.Metadata["note"]);
        Assert.Equal(SampleFiles.Ramp(12), file.ReadFloats("model.embed_tokens.weight"));
        Assert.Equal([4, 3], file.Find("model.embed_tokens.weight")!.Shape);
        Assert.Equal([0f, 0.5f, 1f, 1.5f], file.ReadFloats("half"));
        Assert.Equal(StorageType.F16, file.StorageTypeOf(file.Find("half")!));
        Assert.Empty(file.ReadFloats("empty"));
        Assert.Single(file.ReadFloats("scalar"));
        Assert.All(file.Tensors.Where(t => t.DType == "F32"), t => Assert.Equal(0, t.Offset % 4));
        Assert.Null(file.Find("nothing"));
        Assert.Contains("nothing", Assert.Throws<InputException>(() => file.ReadFloats("nothing")).Message);
    }

    [Theory]
    [InlineData(StorageType.F32)]
    [InlineData(StorageType.F16)]
    [InlineData(StorageType.BF16)]
    public void LargeTensorsAreWrittenInPieces(StorageType type)
    {
        const int Count = 200_001;
        using var folder = new ScratchFolder();
        FillFloats fill = (start, destination) =>
        {
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = (start + i) % 251; // a number that the 16-bit types hold
            }
        };
        SafetensorsWriter.Write(folder.File("a.safetensors"), [new("t", [Count], fill, type)]);
        var read = SafetensorsFile.Open(folder.File("a.safetensors")).ReadFloats("t");
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (float)(i % 251)), read);
    }

    [Fact]
    public void TheOrderOfTensorsDoesNotChangeTheBytes()
    {
        SafetensorsTensor[] tensors = [new("b", [1], SampleFiles.Ramp(1)), new("a", [2], SampleFiles.Ramp(2)), new("c", [2], SampleFiles.Fill, StorageType.BF16)];
        Assert.Equal(Written(tensors), Written([.. tensors.Reverse()]));
        Assert.Throws<ArgumentException>(() => Written([tensors[0], tensors[0]]));
        Assert.Throws<ArgumentException>(() => Written([new("q", [32], SampleFiles.Fill, StorageType.Q8_0)]));
        Assert.Throws<ArgumentException>(() => new SafetensorsTensor("a", [3], SampleFiles.Ramp(2)));
    }

    [Theory]
    [InlineData("../a.safetensors")]
    [InlineData("/etc/a.safetensors")]
    [InlineData("sub/a.safetensors")]
    [InlineData("sub\\\\a.safetensors")]
    [InlineData("c:a.safetensors")]
    [InlineData("..safetensors")]
    [InlineData("a.bin")]
    [InlineData("")]
    public void ShardsOutsideTheFolderAreRefused(string shard)
    {
        using var folder = new ScratchFolder();
        var path = folder.Write("i.json", System.Text.Encoding.UTF8.GetBytes($$$"""{"weight_map":{"a":"{{{shard}}}"}}"""));
        Assert.Contains("plain file name", Assert.Throws<InputException>(() => SafetensorsIndex.Open(path)).Message);
    }

    [Fact]
    public void AnIndexNamesItsShards()
    {
        using var folder = new ScratchFolder();
        var index = SafetensorsIndex.Open(folder.Write("i.json", """{"metadata":{"total_size":1},"weight_map":{"b":"m2.safetensors","a":"m1.safetensors","c":"m1.safetensors"}}"""u8.ToArray()));
        Assert.Equal([folder.File("m1.safetensors"), folder.File("m2.safetensors")], index.Shards);
        Assert.Equal("m2.safetensors", index.WeightMap["b"]);
    }

    [Fact]
    public void ShardsThatAreNotThereAreNamed()
    {
        using var folder = new ScratchFolder();
        var index = folder.Write("model.safetensors.index.json", """{"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors"}}"""u8.ToArray());
        folder.Write("x-1.safetensors", Written([]));
        var error = Assert.Throws<InputException>(() => new SafetensorsSource(folder.Path));
        Assert.Equal(("missing_shard", index), (error.Code, error.File));
        Assert.Contains("of the 2 files that the index names 1 are not there, such as x-2.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingFilesAndFoldersAreClearErrors()
    {
        using var folder = new ScratchFolder();
        Assert.Equal("file_not_found", Assert.Throws<InputException>(() => SafetensorsFile.Open(folder.File("no"))).Code);
        Assert.Equal("file_unreadable", Assert.Throws<InputException>(() => SafetensorsFile.Open(folder.Path)).Code);
    }

    private static byte[] Written(SafetensorsTensor[] tensors)
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, tensors);
        return stream.ToArray();
    }
}
