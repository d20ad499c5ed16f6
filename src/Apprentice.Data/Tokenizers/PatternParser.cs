using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>The syntax tree of a pattern.</summary>
internal abstract record PatternNode
{
    /// <summary>Whether it can match without consuming anything.</summary>
    public abstract bool Nullable { get; }

    public sealed record Set(CharacterSet Characters) : PatternNode
    {
        public override bool Nullable => false;
    }

    public sealed record Sequence(List<PatternNode> Items) : PatternNode
    {
        public override bool Nullable => Items.TrueForAll(i => i.Nullable);
    }

    public sealed record Alternation(List<PatternNode> Choices) : PatternNode
    {
        public override bool Nullable => Choices.Exists(c => c.Nullable);
    }

    /// <param name="Item">What is repeated.</param>
    /// <param name="Min">At least so often.</param>
    /// <param name="Max">At most so often; int.MaxValue for no limit.</param>
    /// <param name="Kind">'g' greedy, 'l' lazy, 'p' possessive.</param>
    public sealed record Repeat(PatternNode Item, int Min, int Max, char Kind) : PatternNode
    {
        public override bool Nullable => Min == 0 || Item.Nullable;
    }

    public sealed record Lookahead(PatternNode Item, bool Negative) : PatternNode
    {
        public override bool Nullable => true;
    }

    public sealed record Atomic(PatternNode Item) : PatternNode
    {
        public override bool Nullable => Item.Nullable;
    }
}

/// <summary>
/// Reads the regular expressions that tokenizers use (the common part of Oniguruma's syntax): literals, escapes,
/// classes with nesting and <c>&amp;&amp;</c>, general categories, groups, <c>(?i:…)</c>, lookahead and quantifiers.
/// Anything else is refused by name with <see cref="FormatException"/>.
/// </summary>
internal sealed class PatternParser(string pattern)
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

    /// <summary>Reads what follows '[' up to the matching ']'.</summary>
    private CharacterSet Class()
    {
        if (++_depth > MaxDepth)
        {
            throw Refuse("nesting this deep");
        }

        var negated = Take("^");
        var ranges = new List<(int, int)>();
        var union = new List<CharacterSet>();
        CharacterSet? and = null;
        while (!Take("]"))
        {
            if (!More || (Peek == '[' && string.CompareOrdinal(pattern, _at, "[:", 0, 2) == 0))
            {
                throw Refuse(More ? "a POSIX class" : "a class without its ']'");
            }

            if (Take("&&"))
            {
                and = Class(); // the rest of this class, whose ']' it takes
                break;
            }

            if (Take("["))
            {
                union.Add(Class());
                continue;
            }

            var low = 0;
            if (Peek == '\\')
            {
                if (Escape(out low) is { } set)
                {
                    union.Add(set);
                    continue;
                }
            }
            else
            {
                low = NextCodePoint();
            }

            var high = low;
            if (Peek == '-' && _at + 1 < pattern.Length && pattern[_at + 1] is not ']')
            {
                _at++;
                if (Peek != '\\')
                {
                    high = NextCodePoint();
                }
                else if (Escape(out high) is not null)
                {
                    throw Refuse("a range that ends in a class");
                }
            }

            if (high < low)
            {
                throw Refuse("a range that runs backwards");
            }

            if (_ignoreCase && low == high)
            {
                union.Add(Literal(low));
            }
            else if (_ignoreCase && high - low < 128)
            {
                union.AddRange(Enumerable.Range(low, high - low + 1).Select(Literal));
            }
            else
            {
                ranges.Add((low, high));
            }
        }

        _depth--;
        return new CharacterSet(0, [.. ranges], [.. union], and, negated);
    }

    /// <summary>Reads an escape: the set it stands for, or null and the character it stands for.</summary>
    private CharacterSet? Escape(out int literal)
    {
        _at++;
        literal = 0;
        var c = Peek;
        _at++;
        switch (c)
        {
            case 's': return CharacterSet.WhiteSpace;
            case 'S': return CharacterSet.WhiteSpace.Negate();
            case 'w': return CharacterSet.Word;
            case 'W': return CharacterSet.Word.Negate();
            case 'd': return new CharacterSet(CharacterSet.Categories("Nd"));
            case 'D': return new CharacterSet(CharacterSet.Categories("Nd")).Negate();
            case 'p' or 'P': return Property(c == 'P');
            case 'n': literal = '\n'; return null;
            case 'r': literal = '\r'; return null;
            case 't': literal = '\t'; return null;
            case 'f': literal = '\f'; return null;
            case 'v': literal = '\v'; return null;
            case 'u': literal = Hex(4); return null;
            case 'x' when Peek == '{':
                var close = pattern.IndexOf('}', _at);
                _at++;
                literal = Hex(close - _at);
                _at++;
                return null;
            case 'x': literal = Hex(2); return null;
            case > ' ' and < '\x7f' when !char.IsAsciiLetterOrDigit(c): literal = c; return null;
            case ' ': literal = c; return null;
            default: _at -= 2; throw Refuse(_at + 1 < pattern.Length ? $"the escape '\\{c}'" : "a lone '\\'");
        }
    }

    private CharacterSet Property(bool negated)
    {
        var close = Peek == '{' ? pattern.IndexOf('}', _at) : -1;
        var name = close < 0 ? "" : pattern[(_at + 1)..close];
        negated ^= name.StartsWith('^');
        var bits = CharacterSet.Categories(name.TrimStart('^'));
        if (bits == 0)
        {
            throw Refuse($"the property '{name}'");
        }

        _at = close + 1;
        var set = new CharacterSet(bits);
        return negated ? set.Negate() : set;
    }

    private int Hex(int digits)
    {
        if (digits is < 1 or > 6 || _at + digits > pattern.Length
            || !int.TryParse(pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || value > 0x10FFFF)
        {
            throw Refuse("this hexadecimal escape");
        }

        _at += digits;
        return value;
    }

    private int NextCodePoint()
    {
        Rune.DecodeFromUtf16(pattern.AsSpan(_at), out var rune, out var length);
        _at += length;
        return rune.Value;
    }

    // Simple case folding; the three letters below fold to ASCII or Latin-1 although .NET's invariant casing leaves them alone.
    private CharacterSet Literal(int c)
    {
        if (!_ignoreCase || !Rune.IsValid(c))
        {
            return CharacterSet.Of(c);
        }

        var lower = Rune.ToLowerInvariant(new Rune(c)).Value;
        var upper = Rune.ToUpperInvariant(new Rune(c)).Value;
        var extra = lower switch { 's' or 0x17F => 0x17F, 'k' or 0x212A => 0x212A, 0xE5 or 0x212B => 0x212B, _ => c };
        var (l, u) = extra switch { 0x17F => ('s', 'S'), 0x212A => ('k', 'K'), 0x212B => (0xE5, 0xC5), _ => (lower, upper) };
        return new CharacterSet(ranges: [(c, c), (l, l), (u, u), (extra, extra)]);
    }
}
