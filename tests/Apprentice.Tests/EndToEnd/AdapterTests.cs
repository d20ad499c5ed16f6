namespace Apprentice.Tests.EndToEnd;

/// <summary>Adapters by the command line: out as llama.cpp has them, and onto a base that is named.</summary>
[Trait("Category", "EndToEnd")]
public sealed class AdapterTests : IDisposable
{
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task A_gguf_adapter_or_a_folder_on_its_base_answers_as_the_run_does()
    {
        await work.Done("train --model m --data bank.jsonl --out r --rank 4 --learning-rate 2e-2 --max-steps 6 --validation none");
        var export = await work.Done("export r --format gguf-adapter --out a.gguf");
        Assert.Equal("gguf-adapter", export.GetProperty("format").GetString());
        var answer = await Answer("--model r");
        Assert.NotEqual(await Answer("--model m"), answer);
        foreach (var same in new[] { "--model a.gguf", "--model m --adapter a.gguf", "--model m --adapter r", "--model m --adapter r/adapter" })
        {
            Assert.Equal(answer, await Answer(same));
        }

        using var chat = CliProcess.Start(["chat", "--model", "m", "--adapter", "a.gguf", "--max-tokens", "8", "--json"], folder: work.Path, input: "the card\n");
        Assert.Equal(answer, Assert.Single((await chat.WaitAsync()).Json.GetProperty("answers").EnumerateArray().ToArray()).GetProperty("text").GetString());
        Assert.Equal(6, (await work.Done("evaluate --model m --adapter a.gguf --data bank.jsonl --max-tokens 1")).GetProperty("examples").GetInt32());
        Assert.Contains("goes on a base model", await work.Refused("generate --model r --adapter a.gguf --prompt x"), StringComparison.Ordinal);
        Assert.Contains("no adapter", await work.Refused("generate --model m --adapter m --prompt x"), StringComparison.Ordinal);
        Assert.Contains("no such file", await work.Refused("generate --model m --adapter b.gguf --prompt x"), StringComparison.Ordinal);
        Assert.Contains("not an adapter", await work.Refused("export m --format gguf-adapter --out b.gguf"), StringComparison.Ordinal);
        Directory.Move(work.In("m"), work.In("n"));
        Assert.Contains("with generate, evaluate or chat give both: --model BASE --adapter ADAPTER", await work.Refused("generate --model a.gguf --prompt x"), StringComparison.Ordinal);
        Assert.Equal(answer, await Answer("--model n --adapter a.gguf"));

        async Task<string> Answer(string model) => (await work.Done($"generate {model} --max-tokens 8 --prompt", "the card")).GetProperty("text").GetString()!;
    }

    [Fact]
    public async Task Dora_is_trained_and_used_and_has_no_place_in_llama_cpps_format()
    {
        var summary = await work.Done("train --model m --data bank.jsonl --out r --method dora --lora-plus-ratio 16 --modules-to-save model.norm --max-steps 3 --validation none");
        Assert.Equal("succeeded", summary.GetProperty("status").GetString());
        Assert.True((bool)work.ReadJson("r", "adapter", "adapter_config.json")["use_dora"]!);
        await work.Done("generate --model r --max-tokens 3 --prompt x");
        Assert.Contains("magnitudes", await work.Refused("export r --format gguf-adapter --out a.gguf"), StringComparison.Ordinal);
        Assert.False(File.Exists(work.In("a.gguf")));
    }
}
