using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Tests.Golden;

namespace Apprentice.Tests.Data.Datasets;

public class PreferenceTests
{
    /// <summary>Every way in which a prompt and two answers are written, and what is made of it: prompt, chosen, rejected.</summary>
    [Theory]
    [InlineData("""{"prompt":"p","chosen":"c","rejected":"r"}""", "user:p => assistant:c / assistant:r")]
    [InlineData("""{"system":"s","prompt":"p","chosen":"c","rejected":"r"}""", "system:s user:p => assistant:c / assistant:r")]
    [InlineData("""{"prompt":[{"role":"user","content":"p"}],"chosen":[{"role":"assistant","content":"c"}],"rejected":[{"role":"assistant","content":"r"}]}""", "user:p => assistant:c / assistant:r")]
    [InlineData("""{"prompt":"p","chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}]}""", "user:p => assistant:c / assistant:r")]
    [InlineData("""{"chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"r"}]}""", "user:p => assistant:c / assistant:r")]
    [InlineData("""{"chosen":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}],"rejected":[{"role":"user","content":"p"},{"role":"assistant","content":"c"}]}""", "user:p => assistant:c / assistant:c")]
    [InlineData("""{"conversations":[{"from":"human","value":"p"},{"from":"gpt","value":"a"},{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"c"},"rejected":{"from":"gpt","value":"r"}}""", "user:p assistant:a user:q => assistant:c / assistant:r")]
    [InlineData("""{"instruction":"i","input":"x","chosen":"c","rejected":"r"}""", "user:i\nx => assistant:c / assistant:r")]
    [InlineData("""{"instruction":"","input":"x","chosen":"c","rejected":"r"}""", "user:x => assistant:c / assistant:r")]
    [InlineData("""{"system":"s","history":[["p","a"]],"instruction":"i","chosen":"c","rejected":"r"}""", "system:s user:p assistant:a user:i => assistant:c / assistant:r")]
    [InlineData("""{"input":{"messages":[{"role":"user","content":"p"}],"tools":[],"parallel_tool_calls":true},"preferred_output":[{"role":"assistant","content":"c"}],"non_preferred_output":[{"role":"assistant","content":"r"}]}""", "user:p => assistant:c / assistant:r")]
    public void Layouts(string record, string expected)
    {
        var preference = Assert.Single(Read(record).Preferences);
        var count = preference.PromptMessages;
        Assert.Equal(expected, $"{Show(preference.Prompt)} => {Show(preference.Chosen.Messages.Skip(count))} / {Show(preference.Rejected.Messages.Skip(count))}");
        Assert.Equal(Show(preference.Prompt), Show(preference.Rejected.Messages.Take(count)));
        foreach (var example in new[] { preference.Chosen, preference.Rejected })
        {
            Assert.Equal(example.Messages.Select((_, i) => i < count ? 0f : 1f), example.Weights); // of the prompt nothing is learned
        }

        var supervised = Assert.Single(DatasetReader.Read("d", Encoding.UTF8.GetBytes(record), DatasetFormat.Preference).Examples);
        Assert.Equal(Show(preference.Chosen.Messages), Show(supervised.Messages));
    }

    [Fact]
    public void Texts_can_be_trained_on_without_a_template_and_tools_are_kept()
    {
        var texts = Read("""{"prompt":"p","chosen":"c","rejected":"r"}""").Preferences[0];
        Assert.Equal((("p", "c"), ("p", "r")), (texts.Chosen.Raw!.Value, texts.Rejected.Raw!.Value));
        var tools = Read("""{"input":{"messages":[{"role":"user","content":"p"}],"tools":[{"type":"function"}]},"preferred_output":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}],"non_preferred_output":[{"role":"assistant","content":"r"}]}""").Preferences[0];
        Assert.Null(tools.Chosen.Raw);
        Assert.Single(tools.Chosen.Tools!);
        Assert.NotNull(tools.Chosen.Messages[1]["tool_calls"]);
    }

    [Fact]
    public void Fields_may_have_other_names()
    {
        var set = DatasetReader.ReadPreferences("d", """{"question":"p","better":"c","worse":"r"}"""u8.ToArray(), new Dictionary<string, string> { ["prompt"] = "question", ["chosen"] = "better", ["rejected"] = "worse" });
        Assert.Equal("user:p assistant:c", Show(set.Preferences[0].Chosen.Messages));
    }

    [Theory]
    [InlineData("""{"prompt":"p","chosen":"c"}""", "missing_field", "'rejected' is missing")]
    [InlineData("""{"prompt":"p","completion":"c"}""", "missing_field", "'chosen' is missing")]
    [InlineData("""{"prompt":"p","chosen":" ","rejected":"r"}""", "empty_completion", "'chosen[0].content' is empty")]
    [InlineData("""{"prompt":"p","chosen":3,"rejected":"r"}""", "wrong_type", "'chosen' is a number")]
    [InlineData("""{"chosen":"c","rejected":"r"}""", "no_prompt", "nothing that both answers answer")]
    [InlineData("""{"prompt":"p","chosen":[{"role":"user","content":"c"}],"rejected":"r"}""", "no_assistant_message", "no assistant message")]
    [InlineData("""{"prompt":"p","chosen":[],"rejected":[]}""", "no_assistant_message", "no assistant message")]
    [InlineData("""{"chosen":[],"rejected":[]}""", "no_prompt", "nothing that both answers answer")]
    [InlineData("""{"input":"x","preferred_output":[],"non_preferred_output":[]}""", "wrong_type", "'input' is a string")]
    public void Mistakes(string record, string code, string words)
    {
        var error = Assert.Throws<InputException>(() => Read(record));
        Assert.Equal((code, 1L), (error.Code, error.Line));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_published_set()
    {
        var set = DatasetReader.ReadPreferences(GoldenData.RequireShared("data/llamafactory/dpo_en_demo.json"));
        Assert.Equal(300, set.Preferences.Count);
        Assert.All(set.Preferences, p => Assert.NotEmpty(p.Prompt));
    }

    private static PreferenceSet Read(string record) => DatasetReader.ReadPreferences("d", Encoding.UTF8.GetBytes(record));

    private static string Show(IEnumerable<System.Text.Json.Nodes.JsonObject> messages) => string.Join(' ', messages.Select(m => $"{m["role"]}:{m["content"]}"));
}
