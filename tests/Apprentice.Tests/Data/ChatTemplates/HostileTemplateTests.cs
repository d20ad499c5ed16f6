using System.Text;
using Apprentice.Data;
using Apprentice.Data.ChatTemplates;
using Apprentice.Tests.Golden;
using Xunit.Abstractions;

namespace Apprentice.Tests.Data.ChatTemplates;

/// <summary>Templates come with models from strangers: whatever they hold, rendering ends soon, in text or in a clear error.</summary>
[Trait("Category", "Hostile")]
public class HostileTemplateTests(ITestOutputHelper output)
{
    private static readonly string Conversation =
        """[{"role":"system","content":"S"},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":{"x":[1,2.5,null]}}}]},{"role":"user","content":"Bye"}]""";

    public static TheoryData<string> Bombs => new(
        "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'x' * 2000000000 }}",
        "{{ [0] * 2000000000 }}",
        "{{ (('x' * 100000) * 100000) }}",
        "{{ range(10 ** 30) | list }}",
        "{{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 ** 2 }}",
        "{{ 10 ** 10 ** 10 }}{{ 9 ** 999999999 }}",
        "{% set ns = namespace(n=3) %}{% for i in range(100000) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{% set ns = namespace(s='xx') %}{% for i in range(100000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='xx') %}{% for i in range(100000) %}{% set ns.s = ns.s.replace('x', 'xxxxxxxx') %}{% endfor %}",
        "{% set ns = namespace(s=[]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == ns.s }}{{ ns.s | tojson }}",
        "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(100) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
        "{% set ns = namespace(a=(1,)) %}{% for i in range(100) %}{% set ns.a = (ns.a, ns.a, ns.a, ns.a) %}{% endfor %}{{ {ns.a: 1} }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'x'.center(2000000000) }}{{ 'x'.zfill(2000000000) }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ 'x' | indent(2000000000) }}{{ ('\n' * 100000) | indent(1000, true, true) }}",
        "{{ [1] | batch(2000000000, 0) | list }}",
        "{{ [1] | slice(2000000000) | list }}",
        "{{ ('x' * 1000000).split('') }}",
        "{% for i in range(100000) %}{{ ('x ' * 100000).split() | length }}{% endfor %}",
        "{% for i in range(100000) %}{{ 'y' in 'x' * 100000 }}{% endfor %}",
        "{% for i in range(100000) %}{{ ('x' * 1000) | sort | join }}{% endfor %}",
        "{% for i in range(100000) %}{{ (range(1000) | list | string).count('1') }}{% endfor %}",
        "{% set ns = namespace(d={}) %}{% for i in range(100000) %}{% set ns.d = dict(ns.d, **{i|string: i}) %}{% endfor %}",
        "{% for i in range(100000) %}{{ '%s' % (('a',) * 100000) }}{% endfor %}",
        "{{ strftime_now('%c' * 1000000) }}",
        "{% for i in range(100) %}{% for j in range(400) %}{% set x = i * j + 1 %}{% endfor %}{% endfor %}{% for m in messages %}<{{ m.role }}>{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ m.content }}{% endfor %}",
        new string('(', 100_000) + "1",
        "{{ " + new string('(', 100_000) + "1" + new string(')', 100_000) + " }}",
        "{{ " + new string('[', 100_000),
        "{{ " + string.Concat(Enumerable.Repeat("not ", 100_000)) + "1 }}",
        "{{ " + string.Concat(Enumerable.Repeat("- ", 100_000)) + "1 }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 100_000)) + " }}",
        "{{ a" + string.Concat(Enumerable.Repeat(".a", 100_000)) + " }}",
        "{{ 'a'" + string.Concat(Enumerable.Repeat("|upper", 100_000)) + " }}",
        "{{ 1" + string.Concat(Enumerable.Repeat(" if 1 else 1", 20_000)) + " }}",
        string.Concat(Enumerable.Repeat("{% if 1 %}", 50_000)),
        string.Concat(Enumerable.Repeat("{{ 'a' 'b' }}", 100_000)),
        "{{ " + string.Concat(Enumerable.Repeat("'a'", 300_000)) + " }}",
        "{{ " + new string('9', 1_000_000) + " }}",
        string.Concat(Enumerable.Repeat("{% raw %}", 100_000)),
        string.Concat(Enumerable.Repeat("{%-\n", 100_000)),
        new string('\n', 1_000_000) + "{%",
        "{% for " + string.Concat(Enumerable.Repeat("(", 100_000)));

    [Theory]
    [MemberData(nameof(Bombs))]
    public void BombsEndInAnErrorOrInText(string template)
    {
        var before = GC.GetTotalAllocatedBytes();
        var (elapsed, error) = Run(template);
        output.WriteLine($"{elapsed.TotalMilliseconds:0} ms, {(GC.GetTotalAllocatedBytes() - before) >> 20} MB made in all, {error?.Code}: {template[..Math.Min(80, template.Length)]}");

        Assert.True(elapsed < TimeSpan.FromSeconds(1), $"took {elapsed}");
    }

    [Fact]
    public void TenThousandMutatedTemplatesEndInAnErrorOrInText()
    {
        var random = new Random(20240726);
        List<string> sources = [.. OwnTemplates.All, .. FeatureSources, .. GoldenSources()];
        var (text, errors, slowest) = (0, new SortedDictionary<string, int>(), (Elapsed: TimeSpan.Zero, Template: ""));
        for (var i = 0; i < 10_000; i++)
        {
            var template = Mutate(sources, random);
            var (elapsed, error) = Run(template);
            if (elapsed > slowest.Elapsed)
            {
                slowest = (elapsed, template);
            }

            if (error is null)
            {
                text++;
            }
            else
            {
                errors[error.Code] = errors.GetValueOrDefault(error.Code) + 1;
            }
        }

        output.WriteLine($"{sources.Count} templates, 10000 mutants: {text} rendered, " + string.Join(", ", errors.Select(e => $"{e.Value} {e.Key}")) + $"; slowest {slowest.Elapsed.TotalMilliseconds:0} ms");
        Assert.True(slowest.Elapsed < TimeSpan.FromSeconds(1), $"took {slowest.Elapsed}:\n{slowest.Template}");
        Assert.True(text > 500 && errors.Count >= 4, "the mutants should reach deep");
    }

    private static IReadOnlyList<string> FeatureSources { get; } =
    [
        "{{ messages|map(attribute='role')|unique|list|tojson(indent=2) }}{{ messages[::-1]|length }}{{ messages|groupby('role') }}{{ 'a b'.split()|join('-')|title }}",
        "{% set ns = namespace(n=1) %}{% for m in messages recursive %}{% set ns.n = ns.n * 2 ** 3 %}{{ loop.cycle('a', 'b') }}{% if loop.index > 2 %}{% break %}{% endif %}{% endfor %}{{ ns.n }}",
        "{% filter upper %}{{ '%05.2f|%s' % (1.5, [1, (2,), {'k': none}]) }}{% endfilter %}{{ '{0:>8}|{x[a]}'.format(1, x={'a': 2}) }}{{ range(20)|batch(3, 0)|list }}",
    ];

    private static IEnumerable<string> GoldenSources() => GoldenData.Folder("chat_templates") is { } folder
        ? Directory.GetFiles(folder, "template.jinja", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText)
        : [];

    private static readonly string[] Fragments =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-%}", "{%-", "(", ")", "[", "]", "{", "}", "'", "\"", "|", "~", "**", "*", "//", "is", "not", "in", ".", ",", ":", "=",
        " ** 99999", " * 999999999", "|list", "|tojson", "|string * 9999", "|join(messages|string)", "messages", "loop", "loop(messages)", "ns", "range(99999)", "namespace()",
        "{% for i in range(99999) %}", "{% for m in messages %}", "{% endfor %}", "{% if messages %}", "{% endif %}", "{% else %}", "{% macro f(x) %}{{ f(x) }}", "{% endmacro %}",
        "{% generation %}", "{% endgeneration %}", "{% set messages = messages + messages %}", "{% set x %}", "{% endset %}", "{{ messages[-1] }}", "[::-1]", "[1:]", ".split('')", "|replace('', 'abc')",
        "\ud800", "\0", "😀", "1e999", "0x", "9999999999999999999999",
    ];

    private static string Mutate(List<string> sources, Random random)
    {
        var text = new StringBuilder(sources[random.Next(sources.Count)]);
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(text.Length + 1);
            var length = Math.Min(random.Next(1, 40), text.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(random.Next(text.Length + 1), text.ToString(at, length));
                    break;
                case 2:
                    text.Insert(at, (char)random.Next(1, 128));
                    break;
                case 3 when at < text.Length:
                    text[at] = (char)random.Next(1, 128);
                    break;
                case 4:
                    var other = sources[random.Next(sources.Count)];
                    var from = random.Next(other.Length);
                    text.Insert(at, other.AsSpan(from, Math.Min(other.Length - from, random.Next(1, 80))));
                    break;
                default:
                    text.Insert(at, Fragments[random.Next(Fragments.Length)]);
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>Renders; anything but text or an InputException fails the test.</summary>
    private static (TimeSpan Elapsed, InputException? Error) Run(string template)
    {
        var messages = OwnTemplates.Messages(Conversation);
        var clock = ThreadClock.StartNew();
        try
        {
            ChatTemplate.Parse(template).Render(messages, OwnTemplates.Options);
            return (clock.Elapsed, null);
        }
        catch (InputException e)
        {
            return (clock.Elapsed, e);
        }
    }
}
