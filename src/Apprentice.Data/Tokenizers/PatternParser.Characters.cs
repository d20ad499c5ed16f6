using System.Globalization;
using System.Text;

namespace Apprentice.Data.Tokenizers;

// Classes, escapes and literals.
internal sealed partial class PatternParser
{
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
