using System.Text;

namespace Apprentice.Recipes.Base;

/// <summary>
/// Text from rules. In a template <c>[a|b|]</c> is a choice, <c>{name}</c> a given value or else a drawn line of the rule of
/// that name, <c>{a:name}</c> the same with its article, <c>{A:name}</c> with its first letter capital.
/// </summary>
public sealed class Grammar
{
    private readonly Dictionary<string, List<string>> _rules = [];

    /// <summary>Reads <c>words.txt</c> and the like: <c>@name</c> begins a rule, each further line is one way to say it.</summary>
    public Grammar(params string[] resources)
    {
        foreach (var line in resources.SelectMany(Resource.Lines))
        {
            if (line[0] == '@')
            {
                _rules.Add(line[1..], []);
            }
            else
            {
                _rules.Last().Value.Add(line);
            }
        }
    }

    public static Grammar Words { get; } = new("words.txt", "names.txt", "pressing.txt");

    /// <summary>The lines of a rule, not expanded.</summary>
    public IReadOnlyList<string> Rule(string name) => _rules[name];

    public string Say(Draw draw, string template, IReadOnlyDictionary<string, string>? given = null)
    {
        var text = new StringBuilder();
        var at = 0;
        Expand(draw, template, given, ref at, text, write: true);
        return Spaced(text);
    }

    // Choices that say nothing leave spaces behind.
    private static string Spaced(StringBuilder text)
    {
        var spaced = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var useless = text[i] == ' ' && (spaced.Length == 0 || i == text.Length - 1 || text[i + 1] is ' ' or '.' or ',' or '?' or '!');
            if (!useless)
            {
                spaced.Append(text[i]);
            }
        }

        return spaced.ToString();
    }

    private void Expand(Draw draw, string template, IReadOnlyDictionary<string, string>? given, ref int at, StringBuilder text, bool write)
    {
        while (at < template.Length && template[at] is not ('|' or ']'))
        {
            var c = template[at++];
            if (c == '[')
            {
                Choose(draw, template, given, ref at, text, write);
            }
            else if (c == '{')
            {
                var end = template.IndexOf('}', at);
                if (write)
                {
                    text.Append(Slot(draw, template[at..end], given));
                }

                at = end + 1;
            }
            else if (write)
            {
                text.Append(c);
            }
        }
    }

    private void Choose(Draw draw, string template, IReadOnlyDictionary<string, string>? given, ref int at, StringBuilder text, bool write)
    {
        var chosen = write ? draw.Number(0, Alternatives(template, at) - 1) : -1;
        for (var alternative = 0; ; alternative++)
        {
            Expand(draw, template, given, ref at, text, alternative == chosen);
            if (template[at++] == ']')
            {
                return;
            }
        }
    }

    private static int Alternatives(string template, int at)
    {
        var (count, depth) = (1, 0);
        for (; depth > 0 || template[at] != ']'; at++)
        {
            depth += template[at] switch { '[' => 1, ']' => -1, _ => 0 };
            count += depth == 0 && template[at] == '|' ? 1 : 0;
        }

        return count;
    }

    private string Slot(Draw draw, string slot, IReadOnlyDictionary<string, string>? given)
    {
        var colon = slot.IndexOf(':');
        var name = slot[(colon + 1)..];
        var value = given is not null && given.TryGetValue(name, out var known)
            ? known
            : _rules.TryGetValue(name, out var rule) ? Say(draw, draw.Pick(rule), given) : throw new ArgumentException($"there is no rule '{name}'");
        return colon < 0 ? value : slot[..colon] == "a" ? English.WithArticle(value) : English.Capital(value);
    }
}
