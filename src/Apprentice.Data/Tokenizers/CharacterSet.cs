using System.Globalization;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// A set of Unicode code points: categories, ranges and other sets, united, then intersected, then negated.
/// Immutable. Works on code points, because .NET's own regular expressions see UTF-16 units and so miss letters
/// outside the basic plane.
/// </summary>
internal sealed class CharacterSet
{
    // In the order of UnicodeCategory. First in the class, since the static sets below need it.
    private static readonly string[] ShortNames =
        ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
         "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn"];

    private readonly uint _categories;
    private readonly (int Low, int High)[] _ranges;
    private readonly CharacterSet[] _union;
    private readonly CharacterSet? _and;
    private readonly bool _negated;
    private readonly ulong _ascii0;
    private readonly ulong _ascii1;

    /// <param name="categories">One bit for each <see cref="UnicodeCategory"/>.</param>
    /// <param name="ranges">Inclusive ranges of code points.</param>
    /// <param name="union">Further sets whose members belong to this set.</param>
    /// <param name="and">Where given, members must belong to this set too.</param>
    /// <param name="negated">Whether the set holds what the rest of the description does not.</param>
    public CharacterSet(uint categories = 0, (int Low, int High)[]? ranges = null, CharacterSet[]? union = null, CharacterSet? and = null, bool negated = false)
    {
        _categories = categories;
        _ranges = ranges ?? [];
        _union = union ?? [];
        _and = and;
        _negated = negated;
        for (var c = 0; c < 64; c++)
        {
            _ascii0 |= Evaluate(c) ? 1UL << c : 0;
            _ascii1 |= Evaluate(c + 64) ? 1UL << c : 0;
        }
    }

    /// <summary>The property White_Space.</summary>
    public static CharacterSet WhiteSpace { get; } = new(ranges:
        [(9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]);

    /// <summary><c>\w</c> of Oniguruma: Alphabetic, marks, decimal digits and connector punctuation.</summary>
    public static CharacterSet Word { get; } = new(
        Categories("L") | Categories("M") | Categories("Nd") | Categories("Nl") | Categories("Pc"),
        [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]);

    public static CharacterSet Of(int codePoint) => new(ranges: [(codePoint, codePoint)]);

    public CharacterSet Negate() => new(union: [this], negated: true);

    /// <summary>The ASCII characters of the set, a bit each.</summary>
    public UInt128 Ascii => new(_ascii1, _ascii0);

    public bool Contains(int codePoint) =>
        codePoint < 64 ? (_ascii0 >> codePoint & 1) != 0
        : codePoint < 128 ? (_ascii1 >> (codePoint - 64) & 1) != 0
        : Evaluate(codePoint);

    /// <summary>Bits of a general category by its short name (<c>L</c>, <c>Lu</c>, …); 0 for another name.</summary>
    public static uint Categories(string name)
    {
        uint bits = 0;
        for (var i = 0; i < ShortNames.Length; i++)
        {
            if (ShortNames[i] == name || (name.Length == 1 && ShortNames[i][0] == name[0]))
            {
                bits |= 1u << i;
            }
        }

        return bits;
    }

    private bool Evaluate(int codePoint)
    {
        var inside = (_categories != 0 && (_categories >> (int)CharUnicodeInfo.GetUnicodeCategory(codePoint) & 1) != 0) || InRanges(codePoint);
        for (var i = 0; !inside && i < _union.Length; i++)
        {
            inside = _union[i].Contains(codePoint);
        }

        return (inside && (_and is null || _and.Contains(codePoint))) != _negated;
    }

    private bool InRanges(int codePoint)
    {
        foreach (var (low, high) in _ranges)
        {
            if (codePoint >= low && codePoint <= high)
            {
                return true;
            }
        }

        return false;
    }
}
