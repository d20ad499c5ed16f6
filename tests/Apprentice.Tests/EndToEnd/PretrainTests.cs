using System.Text.Json;

namespace Apprentice.Tests.EndToEnd;

/// <summary>From text to a model file by the command line alone.</summary>
[Trait("Category", "EndToEnd")]
public sealed class PretrainTests : IDisposable
{
    private readonly Workplace work = new(tied: true);

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_model_from_nothing_is_trained_exported_and_asked()
    {
        File.Delete(work.In("m/model.safetensors"));
        File.WriteAllText(work.In("m/tokenizer.json"), work.Read("m/tokenizer.json").Replace("\"lstrip\":true", "\"lstrip\":false", StringComparison.Ordinal));
        work.WriteLines("text.jsonl", Enumerable.Range(0, 60).Select(i => new { Text = $"the cat {i % 7} sat on the mat" }));
        var run = await work.Done("train --method pretrain --model m --data text.jsonl --anneal bank.jsonl --validation bank.jsonl --max-length 32 --batch-tokens 128 --max-steps 20 --out r");
        Assert.Equal(("succeeded", 20), (run.GetProperty("status").GetString(), run.GetProperty("steps").GetInt32()));
        Assert.True(run.GetProperty("valid_loss_per_byte").GetDouble() > 0);
        var exported = await work.Done("export r --format gguf --quant bf16 --out r.gguf");
        Assert.Equal(("BF16", new FileInfo(work.In("r.gguf")).Length), (exported.GetProperty("quant").GetString(), exported.GetProperty("bytes").GetInt64()));
        Assert.Equal(await Ids("r"), await Ids("r.gguf"));
        Assert.NotEqual("", (await work.Done("generate --model r.gguf --max-tokens 4 --temperature 0 --prompt the")).GetProperty("text").GetString());
        Assert.Contains("--method full", await work.Refused("train --method pretrain --model r --data text.jsonl --out again"), StringComparison.Ordinal);
        Assert.Contains("did you mean Q8_0?", await work.Refused("export r --quant q8 --out x.gguf"), StringComparison.Ordinal);
        Assert.False(File.Exists(work.In("x.gguf")));
    }

    private async Task<string> Ids(string model) =>
        JsonSerializer.Serialize((await work.Done($"tokenize --model {model}", "--text", "the cat's 12 mats, aaaa")).GetProperty("ids"));
}
