using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Export;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tests.Data.Tokenizers;
using Apprentice.Tests.Models;
using Apprentice.Tests.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>The configurations of the golden models with random weights and a tokenizer: what they write is the same model again.</summary>
[Trait("Category", "Golden")]
public sealed class ArchitectureFilesTests(ITestOutputHelper output) : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [SkippableFact]
    public void What_is_written_as_gguf_is_the_same_model()
    {
        var written = new List<string>();
        foreach (var golden in ArchitectureGoldenTests.Folders())
        {
            var name = Path.GetFileName(golden);
            var config = Configuration(golden);
            using (var model = LoadedModel.Open(Folder(name, config)))
            {
                if (Record.Exception(() => model.Model.ToGguf()) is NotSupportedException refusal)
                {
                    output.WriteLine($"{name}: {refusal.Message}");
                    Assert.Equal("not_exportable", Assert.Throws<InputException>(() => Export(model, name)).Code);
                    if (!MakeSayable(config))
                    {
                        continue;
                    }
                }
            }

            using var plain = LoadedModel.Open(Folder(name, config));
            using var back = LoadedModel.Open(Export(plain, name));
            Assert.Equal(plain.Model.GetType(), back.Model.GetType());
            Assert.Equal(plain.Model.Weights.Keys.Order(), back.Model.Weights.Keys.Order());
            Assert.Empty(ArchitectureGoldenTests.Compare(name, Logits(back.Model), Logits(plain.Model), 1e-5));
            written.Add(name);
        }

        output.WriteLine($"{written.Count} models: {string.Join(", ", written)}");
        Assert.NotEmpty(written);
    }

    [SkippableFact]
    public void The_configuration_that_is_written_is_the_same_model()
    {
        foreach (var golden in ArchitectureGoldenTests.Folders())
        {
            var folder = Folder(Path.GetFileName(golden), Configuration(golden));
            using var model = LoadedModel.Open(folder);
            File.WriteAllText(Path.Combine(folder, "config.json"), model.Model.ToConfig().ToJsonString());
            using var back = LoadedModel.Open(folder);
            Assert.Equal(model.Model.GetType(), back.Model.GetType());
            Assert.Equal(Logits(model.Model), Logits(back.Model));
        }
    }

    /// <summary>As saved from the class without the output projection, the first part of each name is missing (GPT-2 on the Hub).</summary>
    [SkippableFact]
    public void Weights_without_the_first_part_of_their_names_are_found()
    {
        foreach (var golden in ArchitectureGoldenTests.Folders())
        {
            var folder = Folder(Path.GetFileName(golden), Configuration(golden));
            using var model = LoadedModel.Open(folder);
            var bare = Directory.CreateDirectory(_scratch.File("bare")).FullName;
            Save(model.Model, bare, name => name.StartsWith("lm_head", StringComparison.Ordinal) ? name : name[(name.IndexOf('.') + 1)..]);
            using var back = ArchitectureGoldenTests.Open(bare, Path.Combine(folder, "config.json"));
            Assert.Equal(Logits(model.Model), Logits(back));
        }
    }

    [SkippableTheory]
    [InlineData("llama", "hidden_act", "\"gelu\"")]
    [InlineData("mistral", "quantization_config", """{"quant_method":"gptq"}""")]
    [InlineData("qwen2", "rope_scaling", """{"rope_type":"ntk","factor":2}""")]
    [InlineData("qwen3", "layer_types", """["linear_attention"]""")]
    [InlineData("gemma", "use_bidirectional_attention", "true")]
    [InlineData("gemma2", "hidden_activation", "\"relu\"")]
    [InlineData("gemma3_text", "query_pre_attn_scalar", "0")]
    [InlineData("phi3", "partial_rotary_factor", "1.5")]
    [InlineData("smollm3", "no_rope_layers", "[1]")]
    [InlineData("granite", "logits_scaling", "-1")]
    [InlineData("gpt2", "scale_attn_by_inverse_layer_idx", "true")]
    [InlineData("gpt2", "scale_attn_weights", "false")]
    public void A_setting_that_is_not_built_is_refused_by_name(string type, string setting, string value)
    {
        var golden = ArchitectureGoldenTests.Folders().First(f => ArchitectureGoldenTests.IsOf(f, t => t == type));
        var config = Configuration(golden);
        config.Remove("rope_parameters");
        config[setting] = JsonNode.Parse(value);
        File.WriteAllText(_scratch.File("config.json"), config.ToJsonString());
        var error = Assert.Throws<InputException>(() => ModelLoader.Create(ModelConfig.Open(_scratch.File("config.json")), new TinyModel.RandomSource(1, false)));
        Assert.Contains(setting == "rope_scaling" ? "rope_type" : setting, error.Message, StringComparison.Ordinal);
        Assert.Equal(_scratch.File("config.json"), error.File);
    }

    /// <summary>The nearest that llama.cpp can say, in place of what it cannot.</summary>
    private static bool MakeSayable(JsonObject config)
    {
        switch ((string)config["model_type"]!)
        {
            case "gemma2" or "gemma3_text":
                config["query_pre_attn_scalar"] = (int)config["head_dim"]!;
                return true;
            case "smollm3":
                config.Remove("no_rope_layers");
                return true;
            default:
                Assert.Contains("\"dynamic\"", config.ToJsonString(), StringComparison.Ordinal);
                return false;
        }
    }

    private static JsonObject Configuration(string golden)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(golden, "config.json")))!.AsObject();
        config["vocab_size"] = TinyModel.Config.Vocabulary;
        return config;
    }

    private string Folder(string name, JsonObject config)
    {
        var folder = Directory.CreateDirectory(_scratch.File(name)).FullName;
        var path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, config.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), TinyTokenizer.Json().Replace("\"lstrip\":true", "\"lstrip\":false", StringComparison.Ordinal));
        using var model = ModelLoader.Create(ModelConfig.Open(path), new TinyModel.RandomSource(1, trainable: false));
        Save(model, folder, weight => weight);
        return folder;
    }

    private static void Save(LanguageModel model, string folder, Func<string, string> rename) => SafetensorsWriter.Write(
        Path.Combine(folder, "model.safetensors"),
        model.Weights.Values.Select(w => model.IsTurned(w.Name) ? SafetensorsTensor.Turned(rename(w.Name), w.Rows, w.Columns, w.CopyTo) : new SafetensorsTensor(rename(w.Name), w.Shape, w.CopyTo)));

    private string Export(LoadedModel model, string name)
    {
        var path = _scratch.File($"{name}.gguf");
        using var stream = File.Create(path);
        GgufExport.Write(model, StorageType.F32, name, stream);
        return path;
    }

    private static float[] Logits(LanguageModel model)
    {
        using var engine = new Engine(1);
        return ArchitectureGoldenTests.Logits(model, engine, [.. Enumerable.Range(0, Math.Min(12, model.ContextLength)).Select(i => i * 7 % model.Vocabulary)]);
    }
}
