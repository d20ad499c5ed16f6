using System.Globalization;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Reads the regular expressions that tokenizers use (the common part of Oniguruma's syntax): literals, escapes,
/// classes with nesting and <c>&amp;&amp;</c>, general categories, groups, <c>(?i:…)</c>, lookahead and quantifiers.
/// Anything else is refused by name with <see cref="FormatException"/>.
/// </summary>
internal sealed partial class PatternParser(string pattern)
{
    private const int MaxDepth = 32;
    private int _at;
    private int _depth;
    private bool _ignoreCase;

    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        var node = parser.Choices();
        return parser._at == pattern.Length ? node : throw parser.Refuse("an unmatched ')'");
    }

    private bool More => _at < pattern.Length;

    private char Peek => More ? pattern[_at] : '\0';

    private FormatException Refuse(string what) => new($"{what} at character {_at + 1} of the regular expression is not supported");

    private bool Take(string text)
    {
        if (string.CompareOrdinal(pattern, _at, text, 0, text.Length) != 0)
        {
            return false;
        }

        _at += text.Length;
        return true;
    }

    private PatternNode Choices()
    {
        if (++_depth > MaxDepth)
        {
            throw Refuse("nesting this deep");
        }

        var ignoreCase = _ignoreCase;
        var choices = new List<PatternNode> { Items() };
        while (Take("|"))
        {
            choices.Add(Items());
        }

        _ignoreCase = ignoreCase;
        _depth--;
        return choices.Count == 1 ? choices[0] : new PatternNode.Alternation(choices);
    }

    private PatternNode Items()
    {
        var items = new List<PatternNode>();
        while (More && Peek is not ('|' or ')'))
        {
            if (Take("(?i)"))
            {
                _ignoreCase = true;
                continue;
            }

            items.Add(Quantified(Item()));
        }

        return items.Count == 1 ? items[0] : new PatternNode.Sequence(items);
    }

    private PatternNode Quantified(PatternNode item)
    {
        int min, max;
        var braces = false;
        switch (Peek)
        {
            case '?': (min, max) = (0, 1); _at++; break;
            case '*': (min, max) = (0, int.MaxValue); _at++; break;
            case '+': (min, max) = (1, int.MaxValue); _at++; break;
            case '{': (min, max) = Braces(); braces = true; break;
            default: return item;
        }

        var kind = Take("?") ? 'l' : Take("+") ? 'p' : 'g';
        if (Peek is '?' or '*' or '+' or '{' || (braces && kind != 'g'))
        {
            throw Refuse("a quantifier of a quantifier");
        }

        return item.Nullable
            ? throw Refuse("repeating what can be empty")
            : new PatternNode.Repeat(item, min, max, kind);
    }

    private (int Min, int Max) Braces()
    {
        var close = pattern.IndexOf('}', _at);
        var body = close < 0 ? [] : pattern[(_at + 1)..close].Split(',');
        if (body.Length is 1 or 2 && TryCount(body[0], 0, out var min) && TryCount(body[^1], int.MaxValue, out var max) && min <= max && (body.Length == 2 || body[0].Length > 0))
        {
            _at = close + 1;
            return (min, max);
        }

        throw Refuse("this use of '{'");

        static bool TryCount(string digits, int empty, out int count)
        {
            count = empty;
            return digits.Length == 0 || (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= 1000);
        }
    }

    private PatternNode Item()
    {
        if (Take("("))
        {
            return Group();
        }

        switch (Peek)
        {
            case '^' or '$': throw Refuse($"the anchor '{Peek}'");
            case '?' or '*' or '+' or '{': throw Refuse("a quantifier without an item");
            case '[': _at++; return new PatternNode.Set(Class());
            case '.': _at++; return new PatternNode.Set(CharacterSet.Of('\n').Negate());
            case '\\': return new PatternNode.Set(Escape(out var literal) ?? Literal(literal));
            default: return new PatternNode.Set(Literal(NextCodePoint()));
        }
    }

    private PatternNode Group()
    {
        var ignoreCase = _ignoreCase;
        var wrap = (PatternNode n) => n;
        if (Take("?i:"))
        {
            _ignoreCase = true;
        }
        else if (Take("?=") || Take("?!"))
        {
            var negative = pattern[_at - 1] == '!';
            wrap = n => new PatternNode.Lookahead(n, negative);
        }
        else if (Take("?>"))
        {
            wrap = n => new PatternNode.Atomic(n);
        }
        else if (!Take("?:") && Peek == '?')
        {
            throw Refuse($"the group '({pattern.AsSpan(_at, Math.Min(3, pattern.Length - _at))}'");
        }

        var body = Choices();
        _ignoreCase = ignoreCase;
        return Take(")") ? wrap(body) : throw Refuse("a group without its ')'");
    }
}
