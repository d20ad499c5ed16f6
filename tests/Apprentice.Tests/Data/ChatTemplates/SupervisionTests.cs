using Apprentice.Data;
using Apprentice.Data.ChatTemplates;

namespace Apprentice.Tests.Data.ChatTemplates;

public class SupervisionTests
{
    private const string TwoTurns =
        """[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},{"role":"user","content":"Bye"},{"role":"assistant","content":" So long "}]""";

    [Theory]
    [InlineData(OwnTemplates.Plain, "1:Hello<end>\n", "3: So long <end>\n")]
    [InlineData(OwnTemplates.Bracketed, "1:Hello </s>", "3:So long </s>")]
    [InlineData(OwnTemplates.OpensNextTurn, "1:Hello</s> ", "3: So long </s> ")]
    [InlineData(OwnTemplates.Macro, "1:Hello<|end|>\n", "3:So long<|end|>\n")]
    [InlineData(OwnTemplates.Indexed, "1:Hello [/assistant]\n", "3: So long  [/assistant]\n")]
    [InlineData(OwnTemplates.ClosesLate, "1:Hello<eom>", "3: So long <eom>")]
    [InlineData(OwnTemplates.Thinking, "1:Hello<end>\n", "3:<think>\n\n</think>\n\n So long <end>\n")]
    [InlineData(OwnTemplates.Marked, "1:Hello<end>", "3: So long <end>")]
    public void SpansRunFromTheContentToTheNextTurn(string template, params string[] expected) =>
        Assert.Equal(expected, OwnTemplates.Supervised(template, TwoTurns));

    [Theory]
    [InlineData(OwnTemplates.Plain, "1:<end>\n")]
    [InlineData(OwnTemplates.Macro, "1:<|end|>\n")]
    [InlineData(OwnTemplates.ClosesLate, "1:<eom>")]
    [InlineData(OwnTemplates.Bracketed, "1: </s>")]
    public void AnEmptyAnswerIsItsEndOfTurn(string template, params string[] expected) =>
        Assert.Equal(expected, OwnTemplates.Supervised(template, """[{"role":"user","content":"Hi"},{"role":"assistant","content":""}]"""));

    [Fact]
    public void AnEmptyAnswerInTheMiddleEndsBeforeTheNextTurn() => Assert.Equal(
        ["1:<eom>"],
        OwnTemplates.Supervised(OwnTemplates.ClosesLate, """[{"role":"user","content":"Hi"},{"role":"assistant","content":""},{"role":"user","content":"?"}]"""));

    [Fact]
    public void ACallOfAToolIsSupervisedWithItsMarkup() => Assert.Equal(
        ["1:<call>{\"name\": \"add\", \"arguments\": {\"x\": 1}}</call><end>\n", "3:<think>\n\n</think>\n\n3<end>\n"],
        OwnTemplates.Supervised(OwnTemplates.Thinking, """
            [{"role":"user","content":"1+2?"},
             {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"add","arguments":{"x":1}}}]},
             {"role":"tool","content":"3"},{"role":"assistant","content":"3"}]
            """));

    [Fact]
    public void ReasoningIsSupervisedWhereItIsShownAndDroppedWhereItIsNot() => Assert.Equal(
        ["1:b<end>\n", "3:<think>\nwhy\n</think>\n\nc<end>\n"],
        OwnTemplates.Supervised(OwnTemplates.Thinking, """
            [{"role":"user","content":"1"},{"role":"assistant","content":"<think>a</think>\nb"},
             {"role":"user","content":"2"},{"role":"assistant","content":"c","reasoning":"why"}]
            """));

    /// <summary>The user repeats the assistant's words and the other way round: origin tells, not text.</summary>
    [Fact]
    public void RepeatedTextIsToldApart()
    {
        var chat = ChatTemplate.Parse(OwnTemplates.Macro).Render(OwnTemplates.Messages(
            """[{"role":"user","content":"yes<|end|>"},{"role":"assistant","content":"yes<|end|>"},{"role":"user","content":"yes<|end|>"}]"""));
        var span = Assert.Single(chat.Assistant);
        Assert.Equal("<|user|>yes<|end|><|end|>\n<|assistant|>".Length, span.Start);
        Assert.Equal("yes<|end|><|end|>\n", chat.Text[span.Start..span.End]);
    }

    [Fact]
    public void OriginSurvivesWhatTemplatesDoToText()
    {
        const string template =
            "{% for m in messages %}<{{ m.role }}>{% set parts = m.content.split(' ') %}"
            + "{{ (parts | map('trim') | join(' ') ~ '')[0:] | replace('a', 'A') | upper }}{{ '%s' % m.content[:1] }}{{ '{}'.format(m.content[-1:]) }}</>{% endfor %}";
        Assert.Equal(["1:BANANA BANDBbb</>"], OwnTemplates.Supervised(template, """[{"role":"user","content":"x y"},{"role":"assistant","content":"banana bandb"}]"""));
    }

    [Fact]
    public void ResultsOfToolsWithinATurnAreLeftOut()
    {
        const string template =
            "{% for m in messages %}{% if m.role != 'tool' %}<{{ m.role }}>{{ m.content }}"
            + "{% for k in range(loop.index0 + 1, messages|length) %}{% set t = messages[k] %}{% if t.role == 'tool' %}<result>{{ t.content }}</result>{% endif %}{% endfor %}</>{% endif %}{% endfor %}";
        Assert.Equal(["1:call", "1:</>"], OwnTemplates.Supervised(template, """[{"role":"user","content":"q"},{"role":"assistant","content":"call"},{"role":"tool","content":"42"}]"""));
    }

    [Theory]
    [InlineData("{% for m in messages %}{{ m.content }}{% if not loop.last %}{{ messages[loop.index].content }}{% endif %}!{% endfor %}", "written within the turn")]
    [InlineData("{% for m in messages %}<{{ m.role }}>{{ 'yes' if m.content == 'yes' else m.content }}</>{% endfor %}", "nothing in it that is copied")]
    public void RefusesWhereItCannotTell(string template, string why)
    {
        var error = Assert.Throws<InputException>(() => OwnTemplates.Supervised(template, """[{"role":"assistant","content":"yes"},{"role":"user","content":"no"}]""").ToList());
        Assert.Equal("cannot_tell_supervision", error.Code);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMessageThatTheTemplateLeavesOutHasNoSpan() => Assert.Empty(OwnTemplates.Supervised(
        "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", """[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]"""));

    [Fact]
    public void APromptForGenerationHasNoSpans()
    {
        var chat = ChatTemplate.Parse(OwnTemplates.Plain).Render(OwnTemplates.Messages(TwoTurns), OwnTemplates.Options with { AddGenerationPrompt = true });
        Assert.Empty(chat.Assistant);
        Assert.EndsWith("<turn:assistant>\n", chat.Text, StringComparison.Ordinal);
    }
}
