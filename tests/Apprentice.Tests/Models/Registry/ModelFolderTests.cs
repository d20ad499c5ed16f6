using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Apprentice.Tests.Golden;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Registry;

/// <summary>A GGUF model written as a Hugging Face folder is the same model.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_made_from_gguf_has_the_same_logits_text_and_ends(bool linearRope)
    {
        using var gguf = LoadedModel.Open(TinyModel.Gguf(_scratch, linearRope ? [8, 8] : null), trainable: true);
        using var folder = Rewritten(gguf);
        Assert.Equal(Logits(gguf), Logits(folder));
        Assert.Equal(gguf.EndTokens.Order(), folder.EndTokens.Order());
        Assert.Equal(gguf.Text.SpecialTokens.Where(t => t.Value is not null).OrderBy(t => t.Key), folder.Text.SpecialTokens.OrderBy(t => t.Key));
        foreach (var text in new[] { "the aaaa ab<|end|> <call>x é漢😀 123456", "", "<s>a", "ab" })
        {
            Assert.Equal(gguf.Text.Tokenizer.Encode(text).Ids, folder.Text.Tokenizer.Encode(text).Ids);
        }

        JsonObject[] conversation = [new() { ["role"] = "user", ["content"] = "the ab" }];
        Assert.Equal(gguf.PromptIds(conversation), folder.PromptIds(conversation));
    }

    [SkippableFact]
    [Trait("Category", "Golden")]
    public void The_real_tokenizer_read_back_gives_the_golden_ids()
    {
        var golden = GoldenData.RequireFolder("tokenizers/real-smollm2-gguf");
        using var model = LoadedModel.Open(GoldenData.RequireShared("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"));
        ModelFolder.WriteCompanions(model, _scratch.Path);
        var text = ModelText.FromFolder(_scratch.Path);
        foreach (var row in GoldenRows.Read(Path.Combine(golden, "cases.jsonl")))
        {
            Assert.Equal(GoldenRows.Ints(row, "ids"), text.Tokenizer.Encode(row.GetProperty("text").GetString()!).Ids);
        }

        JsonObject[] conversation = [new() { ["role"] = "user", ["content"] = "Hi" }];
        Assert.Equal(model.Text.Render(conversation, addGenerationPrompt: true).Text, text.Render(conversation, addGenerationPrompt: true).Text);
        var config = DecoderConfig.From(ModelConfig.Open(_scratch.File("config.json")));
        Assert.Equal(((Llama)model.Model).Config, config);
    }

    [Fact]
    public void Divisors_that_no_configuration_can_say_are_refused() =>
        Assert.Throws<NotSupportedException>(() => new RotaryFrequencies(16, 10_000) { Divisors = [1, 5, 1, 2, 3, 1, 8, 1] }.WriteTo([], 16));

    [Theory]
    [InlineData(8, 1, 4, 8192, 500_000)]
    [InlineData(32, 1, 4, 8192, 500_000)]
    [InlineData(4, 2, 6, 4096, 10_000)]
    public void Llama3_divisors_become_llama3_scaling(double factor, double low, double high, int context, double theta)
    {
        var scaled = new RotaryFrequencies(64, theta, "llama3") { Factor = factor, LowFrequencyFactor = low, HighFrequencyFactor = high, OriginalContext = context };
        var found = RotaryDivisors.AsScaling(new RotaryFrequencies(64, theta) { Divisors = Divisors(scaled) })!;
        Assert.Equal("llama3", found.Scaling);
        Assert.All(scaled.Inverse(0).Zip(found.Inverse(0)), p => Assert.Equal(1, p.Second / p.First, 1e-4));
    }

    [SkippableFact]
    public void Quantised_weights_are_not_trained()
    {
        var file = Path.Combine(GoldenData.RequireFolder("gguf/tiny-llama"), "tiny-llama.gguf");
        var error = Assert.Throws<InputException>(() => ModelLoader.Open(new ModelReference(file), trainable: true));
        Assert.Equal("bad_method", error.Code);
        Assert.Contains("quantised as Q", error.Message, StringComparison.Ordinal);
    }

    /// <summary>GGUF's way to write a scaling: plain frequency over scaled one.</summary>
    private static float[] Divisors(RotaryFrequencies scaled) =>
        [.. (scaled with { Scaling = "default" }).Inverse(0).Zip(scaled.Inverse(0), (plain, slow) => (float)(plain / slow))];

    private LoadedModel Rewritten(LoadedModel model)
    {
        var folder = Directory.CreateDirectory(_scratch.File("folder")).FullName;
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"), model.Model.Weights.Select(w => new SafetensorsTensor(w.Key, w.Value.Shape, w.Value.CopyTo)));
        ModelFolder.WriteCompanions(model, folder);
        return LoadedModel.Open(folder);
    }

    private static float[] Logits(LoadedModel model)
    {
        using var engine = new Engine(1);
        using var tape = new Tape(engine, recording: false);
        int[] ids = [264, 10, 20, 257, 30, 258, 40];
        return model.Model.Logits(tape, model.Model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))))).ToArray();
    }
}
