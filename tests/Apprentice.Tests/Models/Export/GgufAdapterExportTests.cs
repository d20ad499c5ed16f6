using Apprentice.Data;
using Apprentice.Models.Export;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Export;

/// <summary>An adapter written as llama.cpp's GGUF file and read again is the same adapter.</summary>
public sealed class GgufAdapterExportTests : IDisposable
{
    private static readonly PeftConfig Config = new()
    {
        Rank = 3, Alpha = 6, TargetModules = ["q_proj", "k_proj", "down_proj"], RankPattern = new([new("down_proj", 2)]),
    };

    private readonly ScratchFolder _scratch = new();
    private readonly string _base;

    public GgufAdapterExportTests() => _base = TinyModel.Folder(_scratch, "base");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Read_back_it_gives_the_same_logits()
    {
        using var model = LoadedModel.Open(_base, adapter: Folder(Config));
        using var back = LoadedModel.Open(Export(model)); // the base is named in the file
        Assert.Equal(_base, back.Reference.Base);
        Assert.Equal(Logits(model), Logits(back));
        using var given = LoadedModel.Open(_base, adapter: back.Reference.Adapter);
        Assert.Equal(Logits(model), Logits(given));
        using var bare = LoadedModel.Open(_base);
        Assert.NotEqual(Logits(model), Logits(bare));

        // And on as a PEFT folder.
        var folder = Directory.CreateDirectory(_scratch.File("again")).FullName;
        back.Adapter!.Save(folder, _base);
        using var again = LoadedModel.Open(folder);
        Assert.Equal(Logits(model), Logits(again));
    }

    [Theory]
    [InlineData("rslora")]
    [InlineData("alpha pattern")]
    [InlineData("embedding")]
    public void What_one_alpha_cannot_say_is_in_B(string kind)
    {
        var config = kind switch
        {
            "rslora" => Config with { UseRsLora = true },
            "alpha pattern" => Config with { AlphaPattern = new([new("layers.1.self_attn.q_proj", 1.7)]) },
            _ => Config with { TargetModules = ["embed_tokens", "o_proj"] },
        };
        using var model = LoadedModel.Open(_base, adapter: Folder(config));
        using var back = LoadedModel.Open(Export(model));
        Assert.All(Logits(model).Zip(Logits(back)), p => Assert.Equal(p.First, p.Second, 1e-4));
        Assert.Equal(model.Adapter!.Modules.Order(StringComparer.Ordinal), back.Adapter!.Modules.Order(StringComparer.Ordinal));
    }

    /// <summary>llama.cpp adds alpha/r * b a to the base's tensor as that lies in its GGUF file, heads interleaved.</summary>
    [Fact]
    public void Applied_to_the_bases_file_it_gives_the_merged_rows()
    {
        var stored = GgufFile.Open(TinyModel.Gguf(_scratch));
        using var model = LoadedModel.Open(stored.Path, adapter: Folder(Config));
        var adapter = GgufFile.Open(Export(model));
        Assert.Equal(("adapter", "lora", 6f), (adapter.Metadata.GetString("general.type"), adapter.Metadata.GetString("adapter.type"), adapter.Metadata.GetFloat("adapter.lora.alpha")));
        foreach (var (module, name) in new[] { ("model.layers.1.self_attn.q_proj", "blk.1.attn_q.weight"), ("model.layers.0.self_attn.k_proj", "blk.0.attn_k.weight"), ("model.layers.0.mlp.down_proj", "blk.0.ffn_down.weight") })
        {
            var (a, b, w) = (adapter.ReadFloats(name + ".lora_a"), adapter.ReadFloats(name + ".lora_b"), stored.ReadFloats(name));
            var (rank, columns) = ((int)adapter.Find(name + ".lora_b")!.Dimensions[0], (int)adapter.Find(name + ".lora_a")!.Dimensions[0]);
            for (var i = 0; i < w.Length; i++)
            {
                w[i] += 6f / rank * Enumerable.Range(0, rank).Sum(k => b[i / columns * rank + k] * a[k * columns + i % columns]);
            }

            // The merged rows in llama.cpp's order.
            var layer = model.Model.LinearLayers.First(l => l.Name == module);
            var merged = Enumerable.Range(0, layer.Weight.Rows).Select(r =>
            {
                var row = new float[layer.Weight.Columns];
                layer.Weight.CopyRow(r, row);
                model.Adapter!.For(module)!.MergeRow(r, row);
                return row;
            }).ToArray();
            var heads = module.Contains("q_proj", StringComparison.Ordinal) ? 4 : module.Contains("k_proj", StringComparison.Ordinal) ? 2 : (int?)null;
            var order = heads is { } count ? GgufSource.InterleavedOrder(layer.Weight.Rows, count) : [.. Enumerable.Range(0, layer.Weight.Rows)];
            Assert.All(order.SelectMany(r => merged[r]).Zip(w), p => Assert.Equal(p.First, p.Second, 1e-5));
        }
    }

    [Theory]
    [InlineData("dora", "magnitudes")]
    [InlineData("saved", "model.norm.weight")]
    [InlineData("none", "not an adapter")]
    public void What_the_format_cannot_say_is_refused(string kind, string named)
    {
        var config = kind == "dora" ? Config with { UseDora = true } : Config with { ModulesToSave = ["model.norm"] };
        using var model = LoadedModel.Open(_base, adapter: kind == "none" ? null : Folder(config));
        Assert.Contains(named, Assert.Throws<InputException>(() => GgufAdapterExport.Write(model, "x", null, new MemoryStream())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_another_base_are_refused_with_the_reason()
    {
        using var model = LoadedModel.Open(_base, adapter: Folder(Config));
        var file = Export(model);
        using var wider = TinyModel.Make(TinyModel.Config with { FeedForward = 32 });
        Refused(wider, file, "blk.0.ffn_down.weight");
        using var shorter = TinyModel.Make(TinyModel.Config with { Layers = 1 });
        Refused(shorter, file, "blk.1.");
        using var fits = TinyModel.Make();
        Refused(fits, Made("qwen2", [2, 16], [16, 2]), "architecture qwen2");
        Refused(fits, Made("llama", [16, 2], [2, 16]), "needs [r, 16]"); // not transposed
        Refused(fits, Made("llama", [2, 16], null), "no lora_b");
        Assert.Equal(1f / 2, LoraAdapter.Load(fits, Made("llama", [2, 16], [16, 2], alpha: 1)).For("model.layers.0.self_attn.q_proj")!.Scale);
        Assert.Equal(1, LoraAdapter.Load(fits, Made("llama", [2, 16], [16, 2], alpha: 0)).For("model.layers.0.self_attn.q_proj")!.Scale);

        void Refused(Apprentice.Models.Architectures.LanguageModel model, string path, string named) =>
            Assert.Contains(named, Assert.Throws<InputException>(() => LoraAdapter.Load(model, path)).Message, StringComparison.Ordinal);
    }

    private string Made(string architecture, long[] a, long[]? b, float alpha = 4)
    {
        var builder = new GgufBuilder().Add("general.architecture", architecture).Add("general.type", "adapter").Add("adapter.type", "lora").Add("adapter.lora.alpha", alpha)
            .Floats("blk.0.attn_q.weight.lora_a", a, new float[a[0] * a[1]]);
        return _scratch.Write("made.gguf", (b is null ? builder : builder.Floats("blk.0.attn_q.weight.lora_b", b, new float[b[0] * b[1]])).Build());
    }

    private string Export(LoadedModel model) => Write("adapter.gguf", stream => GgufAdapterExport.Write(model, "tiny", _base, stream));

    private string Write(string name, Action<Stream> write)
    {
        using (var stream = File.Create(_scratch.File(name)))
        {
            write(stream);
        }

        return _scratch.File(name);
    }

    /// <summary>A PEFT folder of an adapter that changes something.</summary>
    private string Folder(PeftConfig config)
    {
        var folder = Directory.CreateDirectory(_scratch.File("peft")).FullName;
        using var model = LoadedModel.Open(_base);
        var adapter = LoraAdapter.Create(model.Model, config, 7);
        foreach (var weight in adapter.Weights)
        {
            weight.SetValues([.. weight.ToArray().Select((v, i) => v + 0.05f * MathF.Sin(i))]);
        }

        adapter.Save(folder, _base);
        return folder;
    }

    private static float[] Logits(LoadedModel model)
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        return model.Model.Logits(tape, model.Model.Forward(tape, new ForwardInput([5, 8, 13, 21], new Segments(new Segment(0, 4))) { Adapter = model.Adapter }), model.Adapter).ToArray();
    }
}
