using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tests.EndToEnd;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Export;

/// <summary>A model written as GGUF and read again is the same model.</summary>
public sealed class GgufExportTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(StorageType.F32, 0, false)]
    [InlineData(StorageType.F32, 0, true)]
    [InlineData(StorageType.F16, 0.01, true)]
    [InlineData(StorageType.BF16, 0.05, true)]
    [InlineData(StorageType.Q8_0, 0.05, false)] // rows of 16 and 24 are no whole blocks: F16 in their place
    public void Read_back_it_gives_the_same_logits_and_ids(StorageType type, double tolerance, bool tied)
    {
        using var work = Plain(tied);
        using var model = LoadedModel.Open(work.In("m"));
        using var back = LoadedModel.Open(Export(model, type));
        var text = "Where is the 1st card, at 12:30?\n  the  end … é 中";
        var ids = model.Text.Tokenizer.Encode(text).Ids;
        Assert.Equal(ids, back.Text.Tokenizer.Encode(text).Ids);
        Assert.Equal(model.Text.Template!.Source, back.Text.Template!.Source);
        Assert.Equal(model.EndTokens.Order(), back.EndTokens.Order());
        var (expected, actual) = (Logits(model, ids), Logits(back, ids));
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, tolerance));
        if (tolerance == 0)
        {
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void A_gguf_file_goes_through_with_its_tokenizer()
    {
        using var model = LoadedModel.Open(TinyModel.Gguf(_scratch));
        using var back = LoadedModel.Open(Export(model, StorageType.F16));
        foreach (var key in model.Gguf!.Metadata.Keys.Where(k => k.StartsWith("tokenizer.", StringComparison.Ordinal)))
        {
            Assert.Equal(model.Gguf.Metadata[key].Value, back.Gguf!.Metadata[key].Value);
        }

        Assert.Equal(Logits(model, [1, 2, 3]), Logits(back, [1, 2, 3]));
    }

    [Fact]
    public void Types_and_names_are_those_of_llama_cpp()
    {
        using var work = Plain();
        using var model = LoadedModel.Open(work.In("m"));
        var file = GgufFile.Open(Export(model, StorageType.BF16));
        Assert.Equal("BF16", file.Find("blk.0.attn_q.weight")!.TypeName);
        Assert.Equal("BF16", file.Find("token_embd.weight")!.TypeName);
        Assert.Equal("F32", file.Find("blk.1.ffn_norm.weight")!.TypeName);
        Assert.Equal("F32", file.Find("output_norm.weight")!.TypeName);
        Assert.Equal(32, file.Metadata.GetInt64("general.file_type"));
        Assert.Equal(model.Model.Vocabulary, file.Metadata.GetStrings("tokenizer.ggml.tokens").Length);
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
    }

    [Theory]
    [InlineData(@"\p{N}{1,2}| ?\p{L}+", null, false, "cuts text by")]
    [InlineData(SplitPatterns.Gpt2, """{"type":"Lowercase"}""", false, "it normalizes")]
    [InlineData(SplitPatterns.Gpt2, null, true, "'<mask>' takes white space")]
    public void A_tokenizer_that_the_format_cannot_say_is_refused(string split, string? normalizer, bool strips, string message)
    {
        var json = TinyTokenizer.Json(TinyTokenizer.Split(split), normalizer);
        var tokenizer = Tokenizer.FromJson(System.Text.Encoding.UTF8.GetBytes(strips ? json : Unstripped(json)), "tokenizer.json");
        var error = Assert.Throws<InputException>(() => tokenizer.ToGguf("tokenizer.json"));
        Assert.Equal("not_exportable", error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Q8_0_has_the_bytes_of_the_reference()
    {
        var folder = Golden.GoldenData.RequireFolder("gguf/types");
        var file = GgufFile.Open(Path.Combine(folder, "q8_0.gguf"));
        var tensor = file.Tensors.Single();
        var input = File.ReadAllBytes(Path.Combine(folder, "q8_0.in.f32")).Chunk(4).Select(b => BitConverter.ToSingle(b)).ToArray();
        var bytes = new byte[tensor.ByteLength];
        Apprentice.Tensors.Kernels.BlockFormats.FromFloats(StorageType.Q8_0, input, bytes);
        Assert.Equal(File.ReadAllBytes(file.Path).AsSpan((int)tensor.Offset, (int)tensor.ByteLength).ToArray(), bytes);
    }

    /// <summary>The tiny model, none of whose tokens takes white space with it, which the format cannot say.</summary>
    private static Workplace Plain(bool tied = false)
    {
        var work = new Workplace(tied);
        File.WriteAllText(work.In("m/tokenizer.json"), Unstripped(work.Read("m/tokenizer.json")));
        return work;
    }

    private static string Unstripped(string tokenizer) => tokenizer.Replace("\"lstrip\":true", "\"lstrip\":false", StringComparison.Ordinal);

    private string Export(LoadedModel model, StorageType type)
    {
        var path = _scratch.File($"out-{type}.gguf");
        using var stream = File.Create(path);
        GgufExport.Write(model, type, "tiny", stream);
        return path;
    }

    private static float[] Logits(LoadedModel model, int[] ids)
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        var hidden = model.Model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))));
        return model.Model.Logits(tape, hidden).ToArray();
    }
}
