using System.Text.Json;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.EndToEnd;

[Trait("Category", "RealModel")]
public sealed class TokenizeTests : IDisposable
{
    private const string RealModel = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("apprentice-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_model_that_is_not_there_is_named()
    {
        var text = await CliProcess.RunAsync("tokenize", "--model", "not-there.gguf", "--text", "x");
        Assert.Equal((2, ""), (text.Exit, text.Output));
        Assert.StartsWith("error: not-there.gguf: there is no such model", text.Error, StringComparison.Ordinal);

        var json = await CliProcess.RunAsync("tokenize", "--model", "not-there.gguf", "--text", "x", "--json");
        Assert.Equal((2, ""), (json.Exit, json.Error));
        Assert.Equal("not-there.gguf", json.Json.GetProperty("error").GetProperty("file").GetString());
    }

    [SkippableFact]
    public async Task Offsets_count_code_points_and_cover_the_text()
    {
        var text = "Grüße 😀!";
        var json = (await Tokenize("--text", text)).Json;
        var offsets = json.GetProperty("offsets").EnumerateArray().Select(o => (o[0].GetInt32(), o[1].GetInt32())).ToList();
        Assert.Equal(json.GetProperty("ids").GetArrayLength(), offsets.Count);
        Assert.Equal(json.GetProperty("tokens").GetArrayLength(), offsets.Count);
        Assert.Equal(8, offsets[^1].Item2); // nine UTF-16 units
        Assert.DoesNotContain(true, json.GetProperty("supervised").EnumerateArray().Select(s => s.GetBoolean()));
    }

    [SkippableFact]
    public async Task An_answer_is_learned_up_to_the_next_turn()
    {
        var json = (await Tokenize("--messages", Write("""
            {"messages": [
              {"role": "user", "content": "My card has not arrived"},
              {"role": "assistant", "content": "It is on its way."}
            ]}
            """))).Json;
        Assert.EndsWith("<|im_start|>assistant\nIt is on its way.<|im_end|>\n", json.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal("It is on its way.<|im_end|>\n", Learned(json));
    }

    [SkippableFact]
    public async Task A_conversation_that_awaits_its_answer_ends_in_the_prompt_for_it()
    {
        var json = (await Tokenize("--messages", Write("""[{"role":"user","content":"Hello"}]"""))).Json;
        Assert.EndsWith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n", json.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal("", Learned(json));
    }

    [SkippableFact]
    public async Task People_see_pieces_and_counts()
    {
        var model = GoldenData.RequireShared(RealModel);
        var run = await CliProcess.RunAsync("tokenize", "--model", model, "--text", "Hello\tworld");
        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.StartsWith("Hello\\tworld", run.Output, StringComparison.Ordinal);
        Assert.Contains("0 of them learned", run.Output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("{\"messages\": [\n{\"role\": \"user\",\n\"content\": }]}", "c.json:3: ")]
    [InlineData("{\"prompt\": \"x\"}", "{\"messages\":[…]}")]
    [InlineData("[{\"role\":\"user\"}]", "messages[0].content")]
    public async Task A_bad_conversation_is_refused(string text, string message)
    {
        var model = GoldenData.RequireShared(RealModel);
        var run = await CliProcess.RunAsync("tokenize", "--model", model, "--messages", Write(text));
        Assert.Equal(2, run.Exit);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static async Task<CliResult> Tokenize(params string[] args)
    {
        var run = await CliProcess.RunAsync(["tokenize", "--model", GoldenData.RequireShared(RealModel), .. args, "--json"]);
        Assert.Equal((0, ""), (run.Exit, run.Error));
        return run;
    }

    // The supervised tokens' text. ASCII only, where code points are UTF-16 units.
    private static string Learned(JsonElement json)
    {
        var text = json.GetProperty("text").GetString()!;
        return string.Concat(json.GetProperty("supervised").EnumerateArray().Zip(json.GetProperty("offsets").EnumerateArray())
            .Where(t => t.First.GetBoolean())
            .Select(t => text[t.Second[0].GetInt32()..t.Second[1].GetInt32()]));
    }

    private string Write(string text)
    {
        var file = Path.Combine(folder.FullName, "c.json");
        File.WriteAllText(file, text);
        return file;
    }
}
