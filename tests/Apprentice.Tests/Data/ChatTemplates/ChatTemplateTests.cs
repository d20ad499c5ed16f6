using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.ChatTemplates;

namespace Apprentice.Tests.Data.ChatTemplates;

public class ChatTemplateTests
{
    [Theory]
    [InlineData("{{ {'a': [1, 2.0, none, true], 'b': \"it's\"} }}", "{'a': [1, 2.0, None, True], 'b': \"it's\"}")]
    [InlineData("{{ {'a': [1, 1e-7, none, true], 'b': '<é>'} | tojson }}", "{\"a\": [1, 1e-07, null, true], \"b\": \"<é>\"}")]
    [InlineData("{{ 'a😀b'[1] }}{{ 'a😀b' | length }}{{ 'a😀b'[::-1] }}{{ 'a😀b'.find('b') }}", "😀3b😀a2")]
    [InlineData("{{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 100 }} {{ 7 / 2 }} {{ 1e16 }} {{ 0.1 + 0.2 }}", "-4 2 1267650600228229401496703205376 3.5 1e+16 0.30000000000000004")]
    [InlineData("{% set ns = namespace(n=0) %}{% for x in [1, 2, 3] if x != 2 %}{% set ns.n = ns.n + x %}{{ loop.index }}{{ loop.last }} {% endfor %}{{ ns.n }}", "1False 2True 4")]
    [InlineData("{% macro m(a, b='x') %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call m(1) %}in{% endcall %}", "1xin")]
    [InlineData("  {% if true %}\n  a\n  {% endif %}\nb\n", "  a\nb")]
    [InlineData("a  {{- 1 -}}  b", "a1b")]
    [InlineData("{{ messages }}|{{ tools }}|{{ missing }}", "[]|None|")]
    [InlineData("{{ '{:>6.2f}|{:<4}|{:05d}'.format(3.14159, 'ab', 42) }}", "  3.14|ab  |00042")]
    public void PrintsAsPython(string template, string expected) => Assert.Equal(expected, ChatTemplate.Parse(template).RenderText([]));

    [Theory]
    [InlineData("line one\n{{ raise_exception('No!') }}", "template_raised", "No!", 2, "column 19")]
    [InlineData("{{ a.b }}", "template_undefined", "'a' is undefined", 1, "column 5")]
    [InlineData("\n\n{% if %}", "template_syntax", null, 3, "column 7")]
    [InlineData("{{ 'a' + 1 }}", "template_type", "can only concatenate str (not \"int\") to str", 1, "column 8")]
    [InlineData("{{ [].append(1) }}", "template_security", null, 1, "column")]
    public void ErrorsSayWhere(string template, string code, string? message, int line, string hint)
    {
        var error = Assert.Throws<InputException>(() => ChatTemplate.Parse(template, "my.jinja").RenderText([]));
        Assert.Equal(code, error.Code);
        Assert.Equal(message ?? error.Message, error.Message);
        Assert.Equal("my.jinja", error.File);
        Assert.Equal(line, error.Line);
        Assert.Contains(hint, error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void KeysOfMessagesKeepTheirOrder() => Assert.Equal(
        "{\"content\": \"c\", \"role\": \"user\", \"z\": {\"b\": 1, \"a\": 2.5}}",
        ChatTemplate.Parse("{{ messages[0] | tojson }}").RenderText(OwnTemplates.Messages("""[{"content":"c","role":"user","z":{"b":1,"a":2.5}}]""")));

    [Fact]
    public void ValuesMadeInCodeAreAsThoseRead()
    {
        var message = new JsonObject { ["role"] = "user", ["content"] = "c", ["n"] = 3, ["x"] = 0.5f, ["flag"] = true, ["nothing"] = null };
        Assert.Equal("{'role': 'user', 'content': 'c', 'n': 3, 'x': 0.5, 'flag': True, 'nothing': None}", ChatTemplate.Parse("{{ messages[0] }}").RenderText([message]));
    }

    [Fact]
    public void TheFinalMessageCanBeContinued()
    {
        var template = ChatTemplate.Parse(OwnTemplates.Plain);
        var messages = OwnTemplates.Messages("""[{"role":"user","content":"q"},{"role":"assistant","content":"The answer is "}]""");
        Assert.Equal("<turn:user>\nq<end>\n<turn:assistant>\nThe answer is ", template.RenderText(messages, new ChatTemplateOptions { ContinueFinalMessage = true }));
        Assert.Equal("The answer is ", (string?)messages[1]["content"]);
    }

    [Fact]
    public void ALongConversationIsRenderedAndToldInTime()
    {
        var messages = Enumerable.Range(0, 2000).Select(i => new JsonObject { ["role"] = i % 2 == 0 ? "user" : "assistant", ["content"] = $"message {i} " + new string('x', 500) }).ToList();
        foreach (var source in new[] { OwnTemplates.Plain, OwnTemplates.Bracketed, OwnTemplates.ClosesLate })
        {
            var clock = ThreadClock.StartNew();
            Assert.Equal(1000, ChatTemplate.Parse(source).Render(messages, OwnTemplates.Options).Assistant.Count);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"took {clock.Elapsed}");
        }
    }

    [Fact]
    public void AMegabyteOfContentFits()
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = new string('y', 1_000_000) };
        var span = Assert.Single(ChatTemplate.Parse(OwnTemplates.Macro).Render([message]).Assistant);
        Assert.Equal(1_000_000 + "<|end|>\n".Length, span.End - span.Start);
    }
}
