namespace Apprentice.Recipes.Base;

/// <summary>Small rules of spelling.</summary>
public static class English
{
    private static readonly string[] Small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
        "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    public static string Uncapital(string text) =>
        text.Length < 2 || char.IsUpper(text[1]) || text[0] == 'I' && !char.IsLetter(text[1]) ? text : char.ToLowerInvariant(text[0]) + text[1..];

    public static string WithArticle(string noun) => ("aeiou".Contains(noun[0]) && !noun.StartsWith("uni", StringComparison.Ordinal) ? "an " : "a ") + noun;

    /// <summary>0 to 9,999 in words.</summary>
    public static string InWords(int number) => number switch
    {
        < 20 => Small[number],
        < 100 => Tens[number / 10] + (number % 10 == 0 ? "" : "-" + Small[number % 10]),
        < 1000 => Small[number / 100] + " hundred" + (number % 100 == 0 ? "" : " and " + InWords(number % 100)),
        _ => InWords(number / 1000) + " thousand" + (number % 1000 == 0 ? "" : (number % 1000 < 100 ? " and " : " ") + InWords(number % 1000)),
    };

    /// <summary>a, b and c.</summary>
    public static string Join(IReadOnlyList<string> items, string and = "and") =>
        items.Count == 1 ? items[0] : $"{string.Join(", ", items.Take(items.Count - 1))} {and} {items[^1]}";

    /// <summary>A text as people type it in a hurry: letters swapped, dropped or doubled inside words of four letters and more.</summary>
    public static string Mistyped(Draw draw, string text, double rate)
    {
        var words = text.Split(' ');
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i].Length >= 4 && words[i].All(char.IsAsciiLetterLower) && draw.Chance(rate))
            {
                words[i] = Slip(draw, words[i]);
            }
        }

        return string.Join(' ', words);
    }

    private static string Slip(Draw draw, string word)
    {
        var at = draw.Number(1, word.Length - 2);
        return draw.Number(0, 2) switch
        {
            0 when word[at] != word[at + 1] => word[..at] + word[at + 1] + word[at] + word[(at + 2)..],
            1 => word[..at] + word[(at + 1)..],
            _ => word[..at] + word[at] + word[at..],
        };
    }
}
