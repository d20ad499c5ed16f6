namespace Apprentice.Tests.EndToEnd;

/// <summary>export: what is written answers as the run does, and is tried on held-out examples.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ExportTests : IDisposable
{
    private readonly Workplace work = new();

    public ExportTests() => // the format cannot say that a token takes white space with it
        File.WriteAllText(work.In("m/tokenizer.json"), work.Read("m/tokenizer.json").Replace("\"lstrip\":true", "\"lstrip\":false", StringComparison.Ordinal));

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task An_adapter_goes_out_in_each_format_and_answers_as_before()
    {
        await work.Done("train --model m --data bank.jsonl --out r --test 2 --metric exact_match --validation none --max-steps 30 --learning-rate 1e-2");
        var answer = (await work.Done("generate --model r --max-tokens 6 --prompt", "my card is lost")).GetProperty("text").GetString();

        var gguf = await work.Done("export r --format gguf --quant F32 --out r.gguf --max-tokens 6");
        Assert.Equal("gguf", gguf.GetProperty("format").GetString());
        var kept = gguf.GetProperty("held_out");
        Assert.Equal(2, kept.GetProperty("examples").GetInt32());
        Assert.InRange(kept.GetProperty("metrics").GetProperty("loss").GetProperty("difference").GetProperty("value").GetDouble(), -1e-4, 1e-4);
        Assert.Equal(0, kept.GetProperty("metrics").GetProperty("exact_match").GetProperty("difference").GetProperty("value").GetDouble());

        await work.Done("export r --format safetensors --out merged");
        await work.Done("export r --format peft --out peft");
        foreach (var artifact in new[] { "r.gguf", "merged", "peft" })
        {
            Assert.Equal(answer, (await work.Done($"generate --model {artifact} --max-tokens 6 --prompt", "my card is lost")).GetProperty("text").GetString());
        }

        var small = await work.Run("export r --quant q4_0 --out small.gguf --data bank.jsonl --max-tokens 6");
        Assert.Equal(0, small.Exit);
        Assert.Contains("no whole number of blocks of Q4_0", small.Error, StringComparison.Ordinal); // rows of 48
        Assert.Contains("6 examples", small.Output, StringComparison.Ordinal);
        Assert.Matches("loss +[0-9.]+ +[0-9.]+ +[+-]?[0-9.]+ ", small.Output);

        File.Delete(work.In("bank.jsonl")); // its test is gone with it: said, and no reason not to export
        var later = await work.Run("export r --out later.gguf");
        Assert.Equal(0, later.Exit);
        Assert.Contains("not tried on the run's test", later.Error, StringComparison.Ordinal);
    }

    /// <summary>Its base is named relative to the run's adapter folder, which is not where the exported one is.</summary>
    [Fact]
    public async Task An_adapter_that_is_written_is_tried_on_the_base_that_was_opened()
    {
        await work.Done("train --model m --data bank.jsonl --out r --validation none --max-steps 2");
        var config = work.ReadJson("r", "adapter", "adapter_config.json");
        config["base_model_name_or_path"] = "../../m";
        File.WriteAllText(work.In("r", "adapter", "adapter_config.json"), config.ToJsonString());
        foreach (var (format, artifact) in new[] { ("gguf-adapter", "a.gguf"), ("peft", "a/") })
        {
            var check = (await work.Done($"export r --format {format} --out {artifact} --data bank.jsonl --metric loss")).GetProperty("held_out");
            Assert.Equal(6, check.GetProperty("examples").GetInt32());
            Assert.Equal(0, check.GetProperty("metrics").GetProperty("loss").GetProperty("difference").GetProperty("value").GetDouble());
        }
    }

    /// <summary>The run says that its data is preference data; a file of another kind is still read as what it is.</summary>
    [Fact]
    public async Task A_run_on_preferred_answers_is_judged_by_such_answers()
    {
        work.WriteLines("preferences.jsonl", Workplace.Bank.Select(b => new { b.Prompt, Chosen = b.Completion, Rejected = "none" }));
        await work.Done("train --model m --data preferences.jsonl --format preference --out r --validation none --max-steps 2");
        foreach (var data in new[] { "preferences.jsonl", "bank.jsonl" })
        {
            Assert.Equal(6, (await work.Done($"evaluate --model r --data {data} --metric loss")).GetProperty("examples").GetInt32());
            Assert.Equal(6, (await work.Done($"export r --out {data}.gguf --data {data} --metric loss")).GetProperty("held_out").GetProperty("examples").GetInt32());
        }

        Assert.Contains("this is preference data", await work.Refused("evaluate --model m --data preferences.jsonl"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_before_anything_is_written()
    {
        Assert.Contains("F32 | F16 | BF16, all that a Hugging Face folder holds", await work.Refused("export m --format safetensors --quant Q8_0 --out x"), StringComparison.Ordinal);
        Assert.Contains("F32 | F16 | BF16 | Q8_0 | Q4_0 | Q4_1", await work.Refused("export m --quant Q4_K --out x.gguf"), StringComparison.Ordinal);
        Assert.Contains("gguf | safetensors | peft", await work.Refused("export m --format onnx --out x"), StringComparison.Ordinal);
        Assert.Contains("an adapter is written as F32", await work.Refused("export m --format peft --quant F16 --out x"), StringComparison.Ordinal);
        Assert.Contains("this is a whole model", await work.Refused("export m --format peft --out x"), StringComparison.Ordinal);
        Assert.Contains("m: something is there already", await work.Refused("export m --format safetensors --out m"), StringComparison.Ordinal);
        Assert.Contains("missing.jsonl", await work.Refused("export m --out x.gguf --data missing.jsonl"), StringComparison.Ordinal);
        Assert.Contains("nonsense", await work.Refused("export m --out x.gguf --data bank.jsonl --metric nonsense"), StringComparison.Ordinal);
        Assert.False(Path.Exists(work.In("x")));
        Assert.False(Path.Exists(work.In("x.gguf")));
    }
}
