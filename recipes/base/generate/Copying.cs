using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base;

/// <summary>
/// Names, words and numbers that mean nothing, to be said again, found by their key or put in their places. Looking back for
/// what came after the same beginning is the skill under every extraction and every reply that names a number; a small model
/// does not find it in ordinary text.
/// </summary>
public static class Copying
{
    private const string Consonants = "bcdfghjklmnprstvwz", Vowels = "aeiou";

    private static readonly string[] Separators = [" ", ", ", "\n", "; ", " - ", " | "];
    private static readonly string[] Common =
    [
        .. new[]
        {
            "fruit", "vegetable", "drink", "animal", "flower", "instrument", "tool", "vehicle", "clothing", "furniture", "job", "bodypart", "material", "hobby", "machine",
            "townword", "firmword", "weekday", "month", "colour", "first",
        }.SelectMany(Grammar.Words.Rule).Where(word => word.All(char.IsLetter)).Distinct(),
    ];

    private static readonly string[] Rules = ["first", "lastpart", "town", "townword", "firmword", "fruit", "vegetable", "animal", "tool", "colour", "clothing", "furniture", "job", "serial", "time", "price"];

    public static Instruction Make(Draw draw) => draw.Number(0, 15) switch
    {
        < 7 => Recited(draw),
        < 9 => Again(draw),
        < 12 => Spoken(draw),
        < 14 => Looked(draw),
        14 => Json(draw),
        _ => Filled(draw),
    };

    /// <summary>Common words in no order, three to five times: the easiest there is, from which the rest grows.</summary>
    private static Instruction Recited(Draw draw)
    {
        var words = string.Join(' ', Enumerable.Range(0, draw.Number(6, 20)).Select(_ => draw.Pick(Common)));
        var turns = Enumerable.Repeat(words, 2 * draw.Number(1, 2)).ToArray();
        return draw.Chance(0.5) ? new(null, turns) : new(words, turns);
    }

    /// <summary>The whole list, two or three times.</summary>
    private static Instruction Again(Draw draw)
    {
        var separator = draw.Pick(Separators);
        var text = string.Join(separator, Items(draw, 6, 24));
        var asked = draw.Pick(["Repeat this.", "Say this again.", "Copy the list.", "Write the same again.", "Copy:", "The same once more, please."]);
        return draw.Number(0, 2) switch
        {
            0 => new(null, $"{asked}\n{text}", text),
            1 => new(asked, text, text),
            _ => new(null, $"{asked}\n{text}", text, draw.Pick(["Again.", "Once more.", "And again, please."]), text),
        };
    }

    /// <summary>One item after another, each said again.</summary>
    private static Instruction Spoken(Draw draw)
    {
        var turns = new List<string>();
        foreach (var item in Items(draw, 3, 6))
        {
            var (ask, answer) = draw.Pick([("{0}", "{0}"), ("It is {0}.", "Noted: {0}."), ("My number is {0}.", "Thank you, {0}."), ("This is about {0}.", "About {0}, then."), ("{0}, please.", "{0} it is.")]);
            turns.AddRange([ask.Replace("{0}", item), answer.Replace("{0}", item)]);
        }

        return new(null, turns);
    }

    /// <summary>Pairs of a key and a value, then questions.</summary>
    private static Instruction Looked(Draw draw)
    {
        var pairs = Pairs(draw);
        var sign = draw.Pick([": ", " = ", " is ", " -> ", " has "]);
        var turns = new List<string> { string.Join(draw.Pick(["\n", "; ", ", "]), pairs.Select(p => p.Key + sign + p.Value)) };
        var ask = draw.Pick(["{0}?", "What belongs to {0}?", "Which one goes with {0}?", "And {0}?", "{0}"]);
        foreach (var (key, value) in draw.Sample(pairs, draw.Number(3, 6)))
        {
            var question = ask.Replace("{0}", key);
            turns[^1] = turns.Count == 1 ? $"{turns[0]}\n\n{question}" : question;
            turns.AddRange([value, ""]);
        }

        return new(null, turns[..^1]);
    }

    private static Instruction Json(Draw draw)
    {
        var pairs = Pairs(draw);
        var json = new JsonObject(pairs.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));
        return Instruction.About(draw, draw.Pick(["Write this as a JSON object.", "As JSON:", "Make one JSON object of these pairs."]), string.Join(draw.Pick(["\n", "; "]), pairs.Select(p => $"{p.Key}: {p.Value}")), Recipes.Base.Json.Line(json));
    }

    /// <summary>A sentence with places, and what belongs there.</summary>
    private static Instruction Filled(Draw draw)
    {
        var (name, thing, number, town) = (Word(draw), Word(draw), Digits(draw), Grammar.Words.Say(draw, "{town}"));
        var sentence = draw.Pick(["{name} in {town} waits for {thing}, number {number}.", "Number {number}: {thing} for {name}, {town}.", "We send {thing} {number} to {town}, to {name}.", "{name} wrote about {number}. {thing} goes to {town}."]);
        var facts = draw.Shuffle([("name", name), ("thing", thing), ("number", number), ("town", town)]);
        return Instruction.About(draw, $"{draw.Pick(["Fill in", "Put in the words", "Complete"])}: {sentence}", string.Join(draw.Pick([", ", "\n"]), facts.Select(f => $"{f.Item1} {f.Item2}")),
            facts.Aggregate(sentence, (text, fact) => text.Replace($"{{{fact.Item1}}}", fact.Item2)));
    }

    private static List<(string Key, string Value)> Pairs(Draw draw)
    {
        var keys = Items(draw, 4, 9).Distinct().ToArray();
        return [.. keys.Select(key => (key, Item(draw)))];
    }

    private static string[] Items(Draw draw, int fewest, int most)
    {
        var count = draw.Number(fewest, most);
        return draw.Number(0, 3) switch
        {
            0 => [.. Enumerable.Range(0, count).Select(_ => Digits(draw))],
            1 => [.. Enumerable.Range(0, count).Select(_ => Word(draw))],
            _ => [.. Enumerable.Range(0, count).Select(_ => Item(draw))],
        };
    }

    private static string Item(Draw draw) => draw.Number(0, 4) switch
    {
        0 => Word(draw),
        1 => Digits(draw),
        2 => draw.Pick(["A-", "K", "R/", "X", "No "]) + Digits(draw),
        _ => Grammar.Words.Say(draw, $"{{{draw.Pick(Rules)}}}"),
    };

    private static string Digits(Draw draw) => string.Concat(Enumerable.Range(0, draw.Number(1, 5)).Select(i => (char)('0' + draw.Number(i == 0 ? 1 : 0, 9))));

    /// <summary>A word that there is not.</summary>
    private static string Word(Draw draw)
    {
        var word = string.Concat(Enumerable.Range(0, draw.Number(1, 4)).Select(_ => $"{Consonants[draw.Number(0, Consonants.Length - 1)]}{Vowels[draw.Number(0, Vowels.Length - 1)]}"));
        word = draw.Chance(0.5) ? word + Consonants[draw.Number(0, Consonants.Length - 1)] : word;
        return draw.Chance(0.4) ? English.Capital(word) : word;
    }
}
