using System.Text.RegularExpressions;

namespace Apprentice.Recipes.Base;

/// <summary>The same in other words: polite, formal, casual, shorter, another tense, a question, negated; letters and spelling mended.</summary>
public static partial class Rewriting
{
    private static readonly List<(string Manner, string Before, string After)> Pairs = Read();

    public static Instruction Make(Draw draw) => draw.Chance(0.6) ? Reworded(draw) : Mended(draw);

    private static Instruction Reworded(Draw draw)
    {
        var manner = draw.Pick(Pairs.Select(p => p.Manner).Distinct().ToArray());
        var (_, before, after) = draw.Pick(Pairs.Where(p => p.Manner == manner).ToArray());
        var given = new Dictionary<string, string>();
        foreach (Match slot in Slot().Matches(before + after))
        {
            given.TryAdd(slot.Groups[1].Value, Grammar.Words.Say(draw, $"{{{slot.Groups[1].Value}}}"));
        }

        // An optional part of the first sentence is drawn; the second has none.
        var text = English.Capital(Grammar.Words.Say(draw, before, given));
        return Instruction.About(draw, Grammar.Words.Say(draw, $"{{do_{manner}}}"), text, English.Capital(Grammar.Words.Say(draw, after, given)));
    }

    private static Instruction Mended(Draw draw)
    {
        var text = draw.Chance(0.5)
            ? English.Capital(Grammar.Words.Say(draw, "{plain_sentence}"))
            : Filled.Draw(draw, 2, 3, missing: 0).Text;
        switch (draw.Number(0, 5))
        {
            case 0:
                return Instruction.About(draw, Grammar.Words.Say(draw, "{do_upper}"), text, text.ToUpperInvariant());
            case 1:
                return Instruction.About(draw, Grammar.Words.Say(draw, "{do_lower}"), draw.Chance(0.5) ? text : text.ToUpperInvariant(), text.ToLowerInvariant());
            case 2:
                var sentence = English.Capital(Grammar.Words.Say(draw, "{plain_sentence}"));
                return Instruction.About(draw, Grammar.Words.Say(draw, "{do_capitals}"), English.Uncapital(sentence).TrimEnd('.'), sentence);
            default:
                return Instruction.About(draw, Grammar.Words.Say(draw, "{do_spelling}"), English.Mistyped(draw, text, 0.35), text);
        }
    }

    private static List<(string, string, string)> Read()
    {
        var pairs = new List<(string, string, string)>();
        var manner = "";
        foreach (var line in Resource.Lines("rewrites.txt"))
        {
            var parts = line.Split(" => ");
            if (parts.Length == 1)
            {
                manner = line;
            }
            else
            {
                pairs.Add((manner, parts[0], parts[1]));
            }
        }

        return pairs;
    }

    [GeneratedRegex(@"\{(?:\w+:)?(\w+)\}")]
    private static partial Regex Slot();
}
