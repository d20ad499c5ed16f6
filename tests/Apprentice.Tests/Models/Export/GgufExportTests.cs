using Apprentice.Data;
using Apprentice.Data.Tokenizers;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tests.EndToEnd;
using Apprentice.Tests.Models.Weights;
using Apprentice.Tests.Tensors;

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
    [InlineData(StorageType.Q8_0, 0.05, false)] // rows of 48 are no whole blocks: F16 in their place
    [InlineData(StorageType.Q4_0, 1, true)]
    [InlineData(StorageType.Q4_1, 1, false)]
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

        AssertRounded(model, back, type);
    }

    /// <summary>An adapter on float weights, and on quantised ones, which are widened, changed and quantised again.</summary>
    [Theory]
    [InlineData(StorageType.F32, StorageType.F32)]
    [InlineData(StorageType.F32, StorageType.Q8_0)]
    [InlineData(StorageType.Q4_1, StorageType.Q4_1)]
    [InlineData(StorageType.Q8_0, StorageType.F16)]
    public void An_adapter_is_worked_into_its_base(StorageType stored, StorageType type)
    {
        using var work = Plain();
        using var model = Adapted(work, stored);
        using var back = LoadedModel.Open(Export(model, type));
        AssertRounded(model, back, type);
        if (type == StorageType.F32)
        {
            int[] ids = [1, 2, 3, 200];
            Assert.All(Logits(model, ids).Zip(Logits(back, ids)), p => Assert.Equal(p.First, p.Second, 1e-4));
            Assert.Contains(Logits(model, ids, adapted: false).Zip(Logits(back, ids)), p => Math.Abs(p.First - p.Second) > 0.1);
        }
    }

    /// <summary>The folder holds the same merged weights as the file, and PEFT's folder the same adapter.</summary>
    [Fact]
    public void Folders_hold_the_merged_model_and_the_adapter()
    {
        using var work = Plain();
        using var model = Adapted(work, StorageType.F32);
        int[] ids = [1, 2, 3, 200];
        using (var file = LoadedModel.Open(Export(model, StorageType.F32)))
        using (var folder = LoadedModel.Open(Written(work.In("merged"), f => FolderExport.WriteModel(model, StorageType.F32, f))))
        {
            Assert.Equal(Logits(file, ids), Logits(folder, ids));
        }

        using var peft = LoadedModel.Open(Written(work.In("peft"), f => FolderExport.WriteAdapter(model, f)));
        Assert.Equal(Logits(model, ids), Logits(peft, ids));

        Written(work.In("halves"), f => FolderExport.WriteModel(model, StorageType.BF16, f));
        Assert.Equal("bfloat16", (string)work.ReadJson("halves", "config.json")["torch_dtype"]!);
        using var whole = LoadedModel.Open(work.In("halves"));
        AssertRounded(model, whole, StorageType.BF16, vectors: StorageType.BF16);
        Assert.Equal("not_an_adapter", Assert.Throws<InputException>(() => FolderExport.WriteAdapter(whole, work.In("none"))).Code);
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

    /// <summary>The tiny model, none of whose tokens takes white space with it, which the format cannot say.</summary>
    private static Workplace Plain(bool tied = false)
    {
        var work = new Workplace(tied);
        File.WriteAllText(work.In("m/tokenizer.json"), Unstripped(work.Read("m/tokenizer.json")));
        return work;
    }

    private static string Unstripped(string tokenizer) => tokenizer.Replace("\"lstrip\":true", "\"lstrip\":false", StringComparison.Ordinal);

    /// <summary>An adapter of random changes on the tiny model, whose matrices are stored in that type where they can be.</summary>
    private LoadedModel Adapted(Workplace work, StorageType stored)
    {
        var path = work.In("m");
        if (stored != StorageType.F32)
        {
            using var plain = LoadedModel.Open(path);
            path = Export(plain, stored);
        }

        using var model = LoadedModel.Open(path);
        var adapter = LoraAdapter.Create(model.Model, new PeftConfig { Rank = 3, Alpha = 6, TargetPattern = PeftConfig.AllLinear }, seed: 5);
        foreach (var b in adapter.Modules.Select(m => adapter.For(m)!.B))
        {
            b.SetValues(new Values((ulong)b.Rows).Floats(b.Count, 0.2f));
        }

        return LoadedModel.Open(Written(work.In("adapter"), folder => adapter.Save(folder, path)));
    }

    private static string Written(string folder, Action<string> write)
    {
        Directory.CreateDirectory(folder);
        write(folder);
        return folder;
    }

    /// <summary>Every matrix that was read back is the merged one, rounded to the type once: not one bit else.</summary>
    private static void AssertRounded(LoadedModel model, LoadedModel back, StorageType asked, StorageType vectors = StorageType.F32)
    {
        foreach (var (name, weight) in model.Model.Weights)
        {
            var type = weight.Shape.Count == 1 ? vectors : weight.Columns % BlockFormats.BlockElements(asked) == 0 ? asked : StorageType.F16;
            var (expected, row) = (new List<float>(), new float[weight.Columns]);
            for (var r = 0; r < weight.Rows; r++)
            {
                weight.CopyRow(r, row);
                model.Adapter?.For(name.Replace(".weight", "", StringComparison.Ordinal))?.MergeRow(r, row);
                var bytes = new byte[BlockFormats.RowBytes(type, row.Length)];
                BlockFormats.FromFloats(type, row, bytes);
                BlockFormats.ToFloats(type, bytes, 0, row);
                expected.AddRange(row);
            }

            Assert.True(expected.SequenceEqual(back.Model.Weights[name].ToArray()), $"{name} as {type}");
        }
    }

    private string Export(LoadedModel model, StorageType type)
    {
        var path = _scratch.File($"out-{type}-{Directory.GetFiles(_scratch.Path).Length}.gguf");
        using var stream = File.Create(path);
        GgufExport.Write(model, type, "tiny", stream);
        return path;
    }

    private static float[] Logits(LoadedModel model, int[] ids, bool adapted = true)
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        var hidden = model.Model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))) { Adapter = adapted ? model.Adapter : null });
        return model.Model.Logits(tape, hidden).ToArray();
    }
}
