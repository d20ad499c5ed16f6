using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Tests.EndToEnd;

/// <summary>models show: a folder, a file, a run, the built-in model, and what cannot be used.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ModelsShowTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_folder_and_a_file_of_the_same_model()
    {
        File.WriteAllBytes(work.In("m.gguf"), TinyModel.Gguf());
        File.WriteAllText(work.In("m", "README.md"), "---\nlanguage: en\nlicense: mit\n---\n# A model\nlicense: none\n");
        foreach (var (model, kind, license) in new[] { ("m", "folder", "mit"), ("m.gguf", "gguf", null) })
        {
            var shown = await work.Done($"models show {model}");
            Assert.Equal((kind, "llama", TinyModel.Context, TinyModel.Vocabulary), (
                shown.GetProperty("kind").GetString(), shown.GetProperty("architecture").GetString(), shown.GetProperty("context_length").GetInt32(), shown.GetProperty("vocabulary").GetInt32()));
            Assert.Equal(license, shown.GetProperty("license").GetString());
            var type = Assert.Single(shown.GetProperty("types").EnumerateArray().ToArray());
            var parameters = shown.GetProperty("parameters").GetInt64();
            Assert.Equal(("F32", 21, parameters, 4 * parameters), (
                type.GetProperty("type").GetString(), type.GetProperty("tensors").GetInt32(), type.GetProperty("parameters").GetInt64(), type.GetProperty("bytes").GetInt64()));
            var template = shown.GetProperty("chat_template");
            Assert.Equal((true, false, false), (template.GetProperty("system").GetBoolean(), template.GetProperty("tools").GetBoolean(), template.GetProperty("reasoning").GetBoolean()));
            var memory = shown.GetProperty("memory");
            Assert.True(memory.GetProperty("lora_recompute").GetInt64() < memory.GetProperty("lora").GetInt64() && memory.GetProperty("lora").GetInt64() < memory.GetProperty("full").GetInt64());
        }
    }

    [Fact]
    public async Task A_run_with_its_adapter_and_the_built_in_model()
    {
        var trained = await work.Done("train --model m --data bank.jsonl --out r --rank 2 --max-steps 1 --validation none");
        var run = await work.Done("models show r");
        Assert.Equal(("succeeded", 1, "m", "lora"), (
            run.GetProperty("run").GetProperty("status").GetString(), run.GetProperty("run").GetProperty("steps").GetInt32(),
            run.GetProperty("run").GetProperty("base").GetString(), run.GetProperty("run").GetProperty("method").GetString()));
        var adapter = run.GetProperty("adapter");
        Assert.Equal((2, 14, trained.GetProperty("trainable_parameters").GetInt64()), (
            adapter.GetProperty("rank").GetInt32(), adapter.GetProperty("modules").GetInt32(), adapter.GetProperty("parameters").GetInt64()));

        var table = (await work.Run("models show base")).Output;
        foreach (var said in new[] { "architecture   llama", "licence        Apache-2.0", "BF16: ", "LoRA of rank 16: ", "system message" })
        {
            Assert.Contains(said, table, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_cannot_be_used_is_shown_with_the_reason()
    {
        var config = work.ReadJson("m", "config.json");
        config["model_type"] = "not\u001b[2Jbuilt";
        File.WriteAllText(work.In("m", "config.json"), config.ToJsonString());
        var shown = await work.Done("models show m");
        Assert.Equal("unsupported_architecture", shown.GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("m/config.json", shown.GetProperty("problem").GetProperty("file").GetString());
        Assert.True(shown.GetProperty("parameters").GetInt64() > 20_000);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, shown.GetProperty("memory").ValueKind);
        var table = await work.Run("models show m");
        Assert.Contains("cannot be used: m/config.json: models of architecture", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table.Output);

        File.WriteAllText(work.In("x.gguf"), "GGUF");
        Assert.Contains("x.gguf: the file is cut short", await work.Refused("models show x.gguf"), StringComparison.Ordinal);
        Assert.Contains("there is no such model", await work.Refused("models show gone"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Hostile")]
    public void Mutated_files_are_described_or_refused()
    {
        var sound = TinyModel.Gguf();
        var path = work.In("m.gguf");
        var described = 0;
        for (var i = 0; i < 2000; i++)
        {
            var bytes = (byte[])sound.Clone();
            var random = new CounterRandom((ulong)i, RandomStream.Sampling);
            for (var change = 0UL; change < 3; change++)
            {
                bytes[random.Below(i % 2 == 0 ? 700 : 9000, change)] = (byte)random.Below(256, 10 + change);
            }

            File.WriteAllBytes(path, bytes);
            try
            {
                Assert.True(ModelDescription.Read(new ModelReference(path)).Parameters >= 0);
                described++;
            }
            catch (InputException)
            {
            }
        }

        Assert.InRange(described, 1, 1999);
    }
}
