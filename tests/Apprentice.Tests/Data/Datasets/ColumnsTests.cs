using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;

namespace Apprentice.Tests.Data.Datasets;

public class ColumnsTests
{
    [Fact]
    public void Fields_are_read_under_the_names_of_their_roles()
    {
        var dataset = Read("""{"question":"q","answer":"a","text":"the whole page"}""", ("prompt", "question"), ("completion", "answer"));
        Assert.Equal(DatasetFormat.PromptCompletion, dataset.Format);
        Assert.Equal(("q", "a"), dataset.Examples[0].Raw);
    }

    [Fact]
    public void Roles_may_be_swapped_and_preferred_answers_taken_for_completions()
    {
        Assert.Equal(("c", "p"), Read("""{"prompt":"p","completion":"c"}""", ("prompt", "completion"), ("completion", "prompt")).Examples[0].Raw);
        Assert.Equal(("p", "good"), Read("""{"prompt":"p","chosen":"good","rejected":"bad"}""", ("prompt", "prompt"), ("completion", "chosen")).Examples[0].Raw);
    }

    [Fact]
    public void Only_the_named_fields_are_renamed()
    {
        var example = Read("""{"instruction":"i","input":"x","reply":"o","persona":"s"}""", ("output", "reply"), ("system", "persona")).Examples[0];
        Assert.Equal(["s", "i\nx", "o"], example.Messages.Select(m => (string?)m["content"]));
        Assert.Equal("chat", (string?)Read("""{"dialogue":[{"role":"user","content":"u"},{"role":"assistant","content":"chat"}]}""", ("messages", "dialogue")).Examples[0].Messages[1]["content"]);
    }

    [Fact]
    public void An_optional_field_may_be_missing_in_some_records_but_not_in_all()
    {
        const string With = """{"instruction":"i","output":"o","context":"c"}""", Without = """{"instruction":"i","output":"o"}""";
        Assert.Equal(2, Read($"{With}\n{Without}", ("input", "context")).Examples.Count);
        var error = Assert.Throws<InputException>(() => Read($"{Without}\n{Without}", ("input", "context")));
        Assert.Equal("missing_field", error.Code);
        Assert.Contains("'context'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var missing = Fails("missing_field", "'qustion'", """{"question":"q","answer":"a"}""", ("prompt", "qustion"), ("completion", "answer"));
        Assert.Equal(1, missing.Line);
        Assert.Contains("'question', 'answer'", missing.Message, StringComparison.Ordinal);
        Fails("bad_columns", "'question'", """{"question":"q"}""", ("question", "prompt"));
        Fails("bad_columns", "prompt and system", """{"question":"q"}""", ("prompt", "question"), ("system", "question"));
        var wrong = Fails("wrong_type", "'prompt'", """{"question":1,"answer":"a"}""", ("prompt", "question"), ("completion", "answer"));
        Assert.Contains("prompt is the field 'question'", wrong.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_message_goes_only_where_there_is_none()
    {
        var dataset = Read("""{"messages":[{"role":"system","content":"own"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}""");
        Assert.Same(dataset.Examples[0], dataset.Examples[0].WithSystem("given"));
        var with = Read("""{"prompt":"p","completion":"c"}""").Examples[0].WithSystem("given");
        Assert.Equal(["given", "p", "c"], with.Messages.Select(m => (string?)m["content"]));
        Assert.Equal([0, 0, 1], with.Weights);
        Assert.Equal(2, with.Prompt.Count);
        var text = Read("""{"text":"t"}""").Examples[0];
        Assert.Same(text, text.WithSystem("given"));
    }

    private static InputException Fails(string code, string named, string text, params (string Role, string Field)[] columns)
    {
        var error = Assert.Throws<InputException>(() => Read(text, columns));
        Assert.Equal(code, error.Code);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        return error;
    }

    private static Dataset Read(string text, params (string Role, string Field)[] columns) =>
        DatasetReader.Read("data.jsonl", Encoding.UTF8.GetBytes(text), columns: columns.ToDictionary(c => c.Role, c => c.Field));
}
