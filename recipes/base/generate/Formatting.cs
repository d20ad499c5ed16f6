namespace Apprentice.Recipes.Base;

/// <summary>Answers in a wanted form: lists, JSON, one word only, exact repetition, order, letters and words; and members of categories.</summary>
public static class Formatting
{
    public static Instruction Make(Draw draw) => draw.Number(0, 11) switch
    {
        0 => ListOf(draw),
        1 => Repeat(draw),
        2 or 3 => ToJson(draw),
        4 => Members(draw),
        5 => OddOne(draw),
        6 => Sort(draw),
        7 => Letters(draw),
        8 => YesNo(draw),
        9 => FromJson(draw),
        10 => Placeholders(draw),
        _ => Belongs(draw),
    };

    private static string[] Items(Draw draw, int fewest, int most)
    {
        var rule = draw.Pick(["article", "bringitem", "hobby", "fruit", "vegetable", "animal", "town", "first", "tool", "feature", "skill"]);
        return Enumerable.Range(0, draw.Number(fewest, most)).Select(_ => Grammar.Words.Say(draw, $"{{{rule}}}")).Distinct().ToArray();
    }

    private static Instruction ListOf(Draw draw)
    {
        var items = Items(draw, 3, 7);
        return draw.Number(0, 4) switch
        {
            0 => Instruction.About(draw, draw.Pick(["Write this as a list with dashes.", "Make a bullet list.", "One item a line, each with a dash."]), English.Join(items), string.Join('\n', items.Select(i => "- " + i))),
            1 => Instruction.About(draw, draw.Pick(["Write this as a numbered list.", "Number the items.", "Make a numbered list."]), string.Join(", ", items), string.Join('\n', items.Select((i, n) => $"{n + 1}. {i}"))),
            2 => Instruction.About(draw, draw.Pick(["Join the lines with commas.", "Write the list in one line, with commas."]), string.Join('\n', items), string.Join(", ", items)),
            3 => Instruction.About(draw, draw.Pick(["Write the list as a sentence part with \"and\".", "Join the items with commas and \"and\"."]), string.Join('\n', items.Select(i => "- " + i)), English.Join(items)),
            _ => Instruction.About(draw, draw.Pick(["Write the list backwards.", "Turn the order of the items around."]), string.Join(", ", items), string.Join(", ", items.Reverse())),
        };
    }

    private static Instruction Repeat(Draw draw)
    {
        var text = draw.Number(0, 2) switch
        {
            0 => Grammar.Words.Say(draw, "{article}"),
            1 => Grammar.Words.Say(draw, "{serial}"),
            _ => English.Capital(Grammar.Words.Say(draw, "{plain_sentence}")),
        };
        var times = draw.Number(2, 4);
        return draw.Number(0, 3) switch
        {
            0 => new(null, $"{draw.Pick(["Say exactly", "Repeat exactly", "Write exactly", "Answer only with"])}: {text}", text),
            1 => new("Repeat what the user writes, and nothing else.", text, text),
            2 => new(null, $"{draw.Pick(["Write", "Say", "Repeat"])} \"{text}\" {English.InWords(times)} times, one a line.", string.Join('\n', Enumerable.Repeat(text, times))),
            _ => new(null, $"Put this in quotation marks: {text}", $"\"{text}\""),
        };
    }

    private static Instruction ToJson(Draw draw)
    {
        if (draw.Chance(0.35))
        {
            var items = Items(draw, 2, 6);
            return Instruction.About(draw, draw.Pick(["Write the items as a JSON array.", "Turn the list into a JSON array.", "JSON array of these:"]), draw.Chance(0.5) ? English.Join(items) : string.Join('\n', items), Json.Line(Json.Of(items)));
        }

        var record = Filled.Draw(draw, 2, 5, missing: 0.08);
        var flat = Json.Object(record.Fields.Select(f => (f.Key.Replace('.', '_'), f.Value)));
        var fields = flat.Select(f => f.Key).ToArray();
        var lines = string.Join('\n', record.Fields.Select(f => $"{f.Key.Replace('.', '_')}{draw.Pick([": ", ": ", " = "])}{(f.Value is null ? "-" : Filled.Spoken(f.Value))}"));
        return Instruction.About(draw, draw.Pick(["Turn these lines into JSON. \"-\" means null.", "Write the form as JSON; a dash is null.", "Convert to a JSON object (- is null)."]), lines, Json.Line(flat)) with { Fields = fields };
    }

    private static Instruction FromJson(Draw draw)
    {
        var record = Filled.Draw(draw, 2, 5, missing: 0);
        var json = record.ToJson();
        var told = draw.Pick(record.Fields.ToArray());
        var value = Filled.Spoken(told.Value);
        return draw.Number(0, 2) switch
        {
            0 => new(null, $"{Json.Line(json)}\n\nWhat is {string.Join(" of ", told.Key.Split('.').Reverse())}?", value),
            1 => new(null, $"List the keys of this JSON object.\n\n{Json.Line(json)}", string.Join(", ", json.Select(f => f.Key))),
            _ => Instruction.About(draw, draw.Pick(["Write the JSON on one line.", "Put this JSON on a single line."]), Json.Indented(json), Json.Line(json)) with { Fields = json.Select(f => f.Key).ToArray() },
        };
    }

    private static Instruction Members(Draw draw)
    {
        var category = draw.Pick(Grammar.Words.Rule("category"));
        var items = draw.Sample(Grammar.Words.Rule(category), draw.Number(1, 5));
        var count = English.InWords(items.Count);
        var plural = items.Count == 1 ? category : category switch { "clothing" => "pieces of clothing", "furniture" => "pieces of furniture", _ => category + "s" };
        var one = items.Count == 1 && category is "clothing" or "furniture" ? $"piece of {category}" : plural;
        return draw.Number(0, 2) switch
        {
            0 => new(null, $"{draw.Pick(["Name", "List", "Give me", "Tell me"])} {count} {(items.Count == 1 ? one : plural)}.", English.Capital(English.Join(items)) + "."),
            1 => new(null, $"{draw.Pick(["Write", "List"])} {count} {(items.Count == 1 ? one : plural)}, one a line.", string.Join('\n', items)),
            _ => new("Answer as a JSON array.", $"{English.Capital(count)} {(items.Count == 1 ? one : plural)}, please.", Json.Line(Json.Of(items))),
        };
    }

    private static Instruction OddOne(Draw draw)
    {
        var categories = draw.Sample(Grammar.Words.Rule("category"), 2);
        var odd = draw.Pick(Grammar.Words.Rule(categories[1]));
        var items = draw.Shuffle(draw.Sample(Grammar.Words.Rule(categories[0]), draw.Number(3, 4)).Append(odd));
        return new(draw.Chance(0.3) ? "One word only." : null, $"Which word does not fit: {string.Join(", ", items)}?", odd);
    }

    private static Instruction Belongs(Draw draw)
    {
        var categories = draw.Sample(Grammar.Words.Rule("category"), draw.Number(2, 4));
        var words = categories.Select(c => draw.Pick(Grammar.Words.Rule(c))).ToArray();
        return draw.Chance(0.5)
            ? new(null, $"Which of these is {(categories[0] is "clothing" or "furniture" ? "" : "a kind of ")}{categories[0]}: {string.Join(", ", draw.Shuffle(words))}?", words[0])
            : new("Answer with one word.", $"Is \"{words[0]}\" {English.Join(draw.Shuffle(categories), "or")}?", categories[0]);
    }

    private static Instruction Sort(Draw draw)
    {
        var items = Items(draw, 3, 6);
        return Instruction.About(draw, draw.Pick(["Sort the words by the alphabet.", "Put the items in alphabetical order.", "Sort alphabetically."]), string.Join(", ", items), string.Join(", ", items.Order(StringComparer.Ordinal)));
    }

    private static Instruction Letters(Draw draw)
    {
        var word = draw.Pick(Grammar.Words.Rule("plainthing")).Split(' ')[^1];
        var sentence = English.Capital(Grammar.Words.Say(draw, "{plain_sentence}"));
        var words = sentence.TrimEnd('.').Split(' ');
        return draw.Number(0, 5) switch
        {
            0 => new(null, $"How many letters are in \"{word}\"?", $"{word.Length}"),
            1 => new(null, $"What is the first letter of \"{word}\"?", word[..1]),
            2 => new(null, $"Spell the word \"{word}\".", string.Join('-', word.ToCharArray())),
            3 => new(null, $"What is the last word of this sentence? {sentence}", words[^1]),
            4 => new(null, $"How many words are in this sentence? {sentence}", $"{words.Length}"),
            _ => new(null, $"What is the first word of this sentence? {sentence}", words[0]),
        };
    }

    private static Instruction YesNo(Draw draw)
    {
        var record = Filled.Draw(draw, 2, 4, missing: 0);
        var told = draw.Pick(record.Fields.Where(f => f.Value is string).ToArray());
        var other = Grammar.Words.Say(draw, told.Field.Value);
        var right = draw.Chance(0.5);
        var claimed = right ? (string)told.Value! : other;
        return Instruction.About(
            draw,
            draw.Pick(["Is the statement true? Answer yes or no.", "True or not? Only \"yes\" or \"no\".", "Answer with yes or no."]),
            $"{record.Text}\n{draw.Pick(["Statement", "Claim"])}: {told.Field.Question} {English.Capital(claimed)}.",
            claimed == (string)told.Value! ? "yes" : "no");
    }

    // Templates of letters: marks in brackets are filled from the list below, and nothing else is changed.
    private static Instruction Placeholders(Draw draw)
    {
        var record = Filled.Draw(draw, 2, 3, missing: 0);
        var told = record.Fields.Where(f => f.Value is string).ToArray();
        var form = string.Join(' ', told.Select(f => f.Sentence.Replace((string)f.Value!, $"[{f.Key}]", StringComparison.OrdinalIgnoreCase)));
        var values = string.Join('\n', told.Select(f => $"{f.Key}: {f.Value}"));
        return new(null, $"Fill in the brackets.\n\n{form}\n\n{values}", string.Join(' ', told.Select(f => f.Sentence)));
    }
}
