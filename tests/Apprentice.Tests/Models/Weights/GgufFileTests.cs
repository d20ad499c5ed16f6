using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Tests.Models.Weights;

public class GgufFileTests
{
    [Fact]
    public void ReadsMetadataByTypeAndSaysWhatIsWrong()
    {
        using var folder = new ScratchFolder();
        var metadata = GgufFile.Open(folder.Write("a.gguf", SampleFiles.Gguf())).Metadata;
        Assert.Equal("llama", metadata.GetString("general.architecture"));
        Assert.Equal(2, metadata.GetSize("llama.block_count"));
        Assert.Equal(2L, metadata.GetInt64("llama.block_count"));
        Assert.Equal(2f, metadata.GetFloat("llama.block_count"));
        Assert.True(metadata.GetBool("add_bos"));
        Assert.Equal(["<s>", "", "é", new string('x', 300)], metadata.GetStrings("tokens"));
        Assert.Equal([1, -2, 3], metadata.GetInts("types"));
        Assert.Equal([0.5f, -1f], metadata.GetFloats("scores"));
        Assert.Equal(2, Assert.IsType<GgufValue[]>(metadata["nested"].Value).Length);
        Assert.Null(metadata.FindString("none"));
        Assert.Null(metadata.FindSize("none"));
        Assert.Null(metadata.FindInts("none"));
        Assert.Contains("'none'", Assert.Throws<InputException>(() => metadata.GetString("none")).Message);
        Assert.Contains("array of 3 Int32", Assert.Throws<InputException>(() => metadata.GetString("types")).Message);
        Assert.Contains("UInt64 18446744073709551615", Assert.Throws<InputException>(() => metadata.GetInt64("big")).Message);
    }

    [Fact]
    public void UnsupportedTypesAreListedAndRefusedByNameWhenAskedFor()
    {
        using var folder = new ScratchFolder();
        var file = GgufFile.Open(folder.Write("a.gguf", SampleFiles.Gguf()));
        Assert.Equal(8, file.Tensors.Count);
        Assert.Equal("IQ3_S", file.Find("i")!.TypeName);
        Assert.Contains("IQ3_S", Assert.Throws<InputException>(() => file.ReadFloats("i")).Message);
        Assert.Equal(256, file.ReadFloats("k").Length);
        Assert.Equal(StorageType.Q8_0, file.StorageTypeOf(file.Find("token_embd.weight")!));
        Assert.Equal(128, file.ReadFloats("blk.0.attn_q.weight").Length);
        Assert.Single(file.ReadFloats("scalar"));
    }
}
