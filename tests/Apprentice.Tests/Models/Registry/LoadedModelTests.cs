using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Registry;

public sealed class LoadedModelTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Ends_come_from_the_configurations_the_tokenizer_and_the_template()
    {
        // eos_token: <mask>; config.json: 7; generation_config.json: 8 and 9; the template ends a turn with <|end|>
        var folder = TinyModel.Folder(_scratch, end: "<mask>", endId: 7);
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), """{"eos_token_id":[8,9,100000]}""");
        using var model = LoadedModel.Open(folder);
        Assert.Equal([7, 8, 9, TinyModel.End, 264], model.EndTokens.Order());
    }

    [Fact]
    public void Without_a_template_there_is_no_conversation_but_text()
    {
        using var model = LoadedModel.Open(TinyModel.Folder(_scratch, template: null));
        Assert.Null(model.Text.Template);
        var error = Assert.Throws<InputException>(() => model.PromptIds([Message("user", "a")]));
        Assert.Equal("no_chat_template", error.Code);
        Assert.Contains("--raw", error.Hint, StringComparison.Ordinal);
        Assert.Equal([TinyModel.End, 'a'], model.RawPromptIds("a").Select(i => i == TinyModel.End ? i : 'a')); // the tokenizer puts <|end|> first
    }

    [Fact]
    public void A_template_of_its_own_file_wins_and_default_is_taken_of_a_list()
    {
        var folder = TinyModel.Folder(_scratch);
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            """{"eos_token":{"content":"<|end|>"},"chat_template":[{"name":"tool_use","template":"T"},{"name":"default","template":"D{{ eos_token }}"}]}""");
        Assert.Equal("D<|end|>", ModelText.FromFolder(folder).Render([Message("user", "a")]).Text);
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), "F");
        Assert.Equal("F", ModelText.FromFolder(folder).Render([Message("user", "a")]).Text);
    }

    [Fact]
    public void A_prompt_ends_where_the_assistant_begins()
    {
        using var model = LoadedModel.Open(TinyModel.Folder(_scratch));
        var ids = model.PromptIds([Message("system", "s"), Message("user", "ab")]);
        Assert.Equal("[system]s<|end|>\n[user]ab<|end|>\n[assistant]", model.Text.Tokenizer.Decode(ids));
        Assert.Equal(2, ids.Count(id => id == TinyModel.End));
    }

    [Theory]
    [InlineData("tokenizer_config.json", "[1]")]
    [InlineData("tokenizer_config.json", "{\"eos_token\":")]
    [InlineData("config.json", "{\"model_type\":\"gpt9\"}")]
    [InlineData("tokenizer.json", "{}")]
    public void Broken_files_are_named(string name, string content)
    {
        var folder = TinyModel.Folder(_scratch);
        File.WriteAllText(Path.Combine(folder, name), content);
        var error = Assert.Throws<InputException>(() => LoadedModel.Open(folder));
        Assert.EndsWith(name, error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_larger_than_the_embedding_is_refused()
    {
        var folder = TinyModel.Folder(_scratch);
        var tokenizer = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer.json")))!;
        tokenizer["model"]!["vocab"]!["zzz"] = 265;
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), tokenizer.ToJsonString());
        Assert.Equal("vocabulary_mismatch", Assert.Throws<InputException>(() => LoadedModel.Open(folder)).Code);
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
