namespace Apprentice.Recipes.Base;

/// <summary>Small sums in digits and words, comparing, sorting, series, counting, change and time.</summary>
public static class Arithmetic
{
    public static Instruction Make(Draw draw)
    {
        var (question, answer) = draw.Number(0, 9) switch
        {
            0 or 1 or 2 => Sum(draw),
            3 or 4 => Story(draw),
            5 => Compare(draw),
            6 => Series(draw),
            7 => Money(draw),
            8 => Clock(draw),
            _ => Parts(draw),
        };
        return draw.Chance(0.25) ? new(draw.Pick(["Answer with the number only.", "You are a calculator.", "Answer briefly.", "Work out the answer."]), question, answer) : new(null, question, answer);
    }

    private static (string, string) Sum(Draw draw)
    {
        var sign = draw.Pick(["+", "+", "-", "-", "*", "/"]);
        var most = draw.Pick([10, 20, 20, 50, 100]);
        var (a, b) = (draw.Number(0, most), draw.Number(0, most));
        (a, b) = sign switch { "*" => (a % 13, b % 13), "/" => (Math.Max(1, a % 13) * (b % 11 + 1), b % 11 + 1), "-" when b > a => (b, a), _ => (a, b) };
        var result = sign switch { "+" => a + b, "-" => a - b, "*" => a * b, _ => a / b };
        var word = sign switch { "+" => "plus", "-" => "minus", "*" => "times", _ => "divided by" };
        return draw.Number(0, 6) switch
        {
            0 => ($"What is {a} {sign} {b}?", $"{result}"),
            1 => ($"{a} {sign} {b} =", $"{result}"),
            2 => ($"What is {English.InWords(a)} {word} {English.InWords(b)}?", English.Capital(English.InWords(result)) + "."),
            3 => ($"Calculate {a} {word} {b}.", $"{a} {sign} {b} = {result}"),
            4 => ($"{English.Capital(English.InWords(a))} {word} {English.InWords(b)}, as a number.", $"{result}"),
            5 => ($"How much is {a} {word} {b}?", $"{a} {word} {b} is {result}."),
            _ => Claim(draw, $"{a} {sign} {b}", result),
        };
    }

    private static (string, string) Claim(Draw draw, string sum, int result)
    {
        var claimed = draw.Chance(0.5) ? result : result + draw.Number(1, 3);
        return ($"Is {sum} equal to {claimed}?", claimed == result ? "Yes" : $"No, it is {result}.");
    }

    private static (string, string) Story(Draw draw)
    {
        var (a, b) = (draw.Number(3, 30), draw.Number(2, 12));
        var (one, other) = draw.Sample(Grammar.Words.Rule("first"), 2) switch { var names => (names[0], names[1]) };
        var thing = draw.Pick(["apples", "pens", "books", "coins", "stamps", "eggs", "tickets", "buttons", "cards", "shells", "marbles", "pears"]);
        var place = draw.Pick(["box", "basket", "bag", "drawer", "jar"]);
        var more = a + b;
        return draw.Number(0, 5) switch
        {
            0 => ($"{one} has {a} {thing} and gets {b} more. How many {thing} does {one} have now?", $"{a} + {b} = {more}. {one} has {more} {thing}."),
            1 => ($"{one} has {more} {thing} and gives {b} to {other}. How many are left?", $"{more} - {b} = {a}. {one} has {a} {thing} left."),
            2 => ($"There are {b} {place}s with {a} {thing} each. How many {thing} are there?", $"{b} * {a} = {a * b}. There are {a * b} {thing}."),
            3 => ($"{one} shares {a * b} {thing} among {b} friends. How many does each get?", $"{a * b} / {b} = {a}. Each gets {a} {thing}."),
            4 => ($"In a {place} there are {a} {thing}. {one} takes out {Math.Min(a, b)} and puts in {b + 1}. How many are in the {place}?", $"{a} - {Math.Min(a, b)} + {b + 1} = {a - Math.Min(a, b) + b + 1}. There are {a - Math.Min(a, b) + b + 1} {thing}."),
            _ => ($"{one} has {a} {thing}. {other} has {b} more than {one}. How many does {other} have?", $"{a} + {b} = {more}. {other} has {more} {thing}."),
        };
    }

    private static (string, string) Compare(Draw draw)
    {
        var numbers = draw.Sample(Enumerable.Range(1, draw.Pick([20, 100, 500])), draw.Number(2, 6));
        var list = string.Join(", ", numbers);
        return draw.Number(0, 3) switch
        {
            0 => ($"Which number is the largest: {list}?", $"{numbers.Max()}"),
            1 => ($"Which number is the smallest: {list}?", $"{numbers.Min()}"),
            2 => ($"Sort from small to large: {list}", string.Join(", ", numbers.Order())),
            _ => ($"Sort these numbers from large to small: {list}", string.Join(", ", numbers.OrderDescending())),
        };
    }

    private static (string, string) Series(Draw draw)
    {
        var (start, step) = (draw.Number(1, 30), draw.Number(1, 10));
        var down = draw.Chance(0.3);
        var terms = Enumerable.Range(0, 5).Select(i => down ? start + (4 - i) * step : start + i * step).ToArray();
        return draw.Chance(0.5)
            ? ($"What comes next: {string.Join(", ", terms[..4])}?", $"{terms[4]}")
            : ($"Count {(down ? "down" : "up")} in steps of {step}, starting at {terms[0]}. Give five numbers.", string.Join(", ", terms));
    }

    private static (string, string) Money(Draw draw)
    {
        var thing = Grammar.Words.Say(draw, "{article}");
        var (price, count) = (draw.Number(2, 19), draw.Number(2, 6));
        var note = draw.Pick([20, 50, 100]);
        return draw.Chance(0.5) && price < note
            ? ($"{English.Capital(English.WithArticle(thing))} costs {price} pounds. You pay with {note} pounds. What is the change?", $"{note} - {price} = {note - price}, so the change is {note - price} pounds.")
            : ($"One {thing} costs {price} pounds. What do {count} cost?", $"{count} * {price} = {count * price} pounds.");
    }

    private static (string, string) Clock(Draw draw)
    {
        var (hour, minute, length) = (draw.Number(7, 20), draw.Number(0, 11) * 5, draw.Number(1, 18) * 5);
        var end = hour * 60 + minute + length;
        var (from, until) = ($"{hour}:{minute:00}", $"{end / 60}:{end % 60:00}");
        var what = draw.Pick(["lesson", "film", "meeting", "walk", "show", "bus ride", "match"]);
        return draw.Chance(0.5)
            ? ($"A {what} starts at {from} and takes {length} minutes. When does it end?", $"It ends at {until}.")
            : ($"A {what} starts at {from} and ends at {until}. How many minutes does it take?", $"It takes {length} minutes.");
    }

    private static (string, string) Parts(Draw draw)
    {
        var half = draw.Number(1, 60);
        return draw.Number(0, 4) switch
        {
            0 => ($"What is half of {half * 2}?", $"{half}"),
            1 => ($"What is double {half}?", $"{half * 2}"),
            2 => ($"What is 10% of {half * 10}?", $"{half}"),
            3 => ($"Write {half * 7} in words.", English.Capital(English.InWords(half * 7))),
            _ => ($"Is {half} even or odd?", half % 2 == 0 ? "Even" : "Odd"),
        };
    }
}
