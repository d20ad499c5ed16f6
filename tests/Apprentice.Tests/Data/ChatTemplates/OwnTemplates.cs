using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates;

namespace Apprentice.Tests.Data.ChatTemplates;

/// <summary>Templates of our own, each of a kind that models use, and what is supervised with them.</summary>
internal static class OwnTemplates
{
    public const string Plain =
        "{% for m in messages %}<turn:{{ m.role }}>\n{{ m.content }}<end>\n{% endfor %}{% if add_generation_prompt %}<turn:assistant>\n{% endif %}";

    /// <summary>No generation prompt; the answer follows the question's closing tag.</summary>
    public const string Bracketed =
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[Q] ' + m['content']|trim + ' [/Q]' }}{% else %}{{ ' ' + m['content']|trim + ' ' + eos_token }}{% endif %}{% endfor %}";

    /// <summary>The answer's line also opens the next question.</summary>
    public const string OpensNextTurn =
        "{{ bos_token }}[Q] {% for m in messages %}{% if m.role == 'user' %}{{ m.content }} [/Q]{% else %}{{ ' ' ~ m.content ~ eos_token ~ ' ' ~ bos_token ~ '[Q] ' }}{% endif %}{% endfor %}";

    /// <summary>Everything through a macro, over a filtered list.</summary>
    public const string Macro =
        "{% macro turn(m) %}<|{{ m.role }}|>{{ m.content | trim }}<|end|>{% endmacro %}"
        + "{% macro all(list) %}{% for m in list %}{{ turn(m) }}\n{% endfor %}{% endmacro %}"
        + "{{ all(messages | rejectattr('role', 'equalto', 'system')) }}{% if add_generation_prompt %}<|assistant|>{% endif %}";

    /// <summary>By index, without a name for the message.</summary>
    public const string Indexed =
        "{% for i in range(messages|length) %}[{{ messages[i].role }}] {{ messages[i]['content'] }} [/{{ messages[i].role }}]\n{% endfor %}";

    /// <summary>The next turn writes the end of this one.</summary>
    public const string ClosesLate =
        "{% for m in messages %}{% if not loop.first %}<eom>{% endif %}<bom>{{ m.role }}:{{ m.content }}{% endfor %}<eom>{% if add_generation_prompt %}<bom>assistant:{% endif %}";

    /// <summary>Reasoning of earlier turns is dropped, that of the last is shown; calls of tools.</summary>
    public const string Thinking =
        "{% for m in messages %}<turn:{{ m.role }}>\n"
        + "{%- if m.role == 'assistant' %}"
        + "{%- set text = m.content or '' %}{% if '</think>' in text %}{% set text = text.split('</think>')[-1].lstrip('\\n') %}{% endif %}"
        + "{{- '\\n' }}{% if loop.last %}{{ '<think>\\n' ~ (m.reasoning_content or '') ~ '\\n</think>\\n\\n' }}{% endif %}{{ text }}"
        + "{%- for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}"
        + "{%- else %}{{ '\\n' + m.content }}{% endif %}<end>\n{% endfor %}{% if add_generation_prompt %}<turn:assistant>\n{% endif %}";

    public const string Marked =
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<end>{% endgeneration %}{% else %}{{ m.content }}<end>{% endif %}\n{% endfor %}";

    public static IReadOnlyList<string> All { get; } = [Plain, Bracketed, OpensNextTurn, Macro, Indexed, ClosesLate, Thinking, Marked];

    public static ChatTemplateOptions Options { get; } = new()
    {
        SpecialTokens = new Dictionary<string, string?> { ["bos_token"] = "<s>", ["eos_token"] = "</s>" },
    };

    public static IReadOnlyList<JsonObject> Messages(string json) => [.. JsonNode.Parse(json)!.AsArray().Select(m => m!.DeepClone().AsObject())];

    /// <summary>The supervised parts, each with its message's index before it.</summary>
    public static IEnumerable<string> Supervised(string template, string messages, ChatTemplateOptions? options = null)
    {
        var chat = ChatTemplate.Parse(template).Render(Messages(messages), options ?? Options);
        return chat.Assistant.Select(s => $"{s.Message}:{chat.Text[s.Start..s.End]}");
    }
}
