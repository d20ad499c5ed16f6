using System.Text.RegularExpressions;

namespace Apprentice.Recipes.Base;

/// <summary>Questions with one fitting answer: what a model cannot know or do and says so, small talk, plain knowledge.</summary>
public static partial class Questions
{
    private static readonly ILookup<string, (string Question, string Answer)> Pairs = Read();
    private static readonly ILookup<string, (string, string)> Facts = ReadFacts();

    public static Instruction Refusal(Draw draw) => Ask(draw, "refusal");

    public static Instruction Talk(Draw draw) => Ask(draw, draw.Chance(0.4) ? "talk" : "knowledge");

    private static Instruction Ask(Draw draw, string sort)
    {
        var (question, answer) = draw.Pick(Pairs[sort].ToArray());
        var given = new Dictionary<string, string>();
        foreach (Match slot in Slot().Matches(question))
        {
            var name = slot.Groups[1].Value;
            if (Facts.Contains(name))
            {
                (given[name], given[name + "2"]) = draw.Pick(Facts[name].ToArray());
            }
            else if (!given.ContainsKey(name))
            {
                given[name] = Grammar.Words.Say(draw, $"{{{name}}}");
            }
        }

        // Slots of the answer that the question's drawn choice left out would name something new.
        var asked = Grammar.Words.Say(draw, question, given);
        var told = answer;
        foreach (Match slot in Slot().Matches(answer))
        {
            var value = given.GetValueOrDefault(slot.Groups[1].Value) ?? "";
            if (!slot.Groups[1].Value.EndsWith('2') && !asked.Contains(value, StringComparison.Ordinal))
            {
                told = told.Replace($" in {slot.Value}", "", StringComparison.Ordinal).Replace($" of {slot.Value}", "", StringComparison.Ordinal);
            }
        }

        var system = draw.Chance(0.25) ? Grammar.Words.Say(draw, "{brief_system}") : null;
        return new(system, English.Capital(asked), English.Capital(Grammar.Words.Say(draw, told, given)));
    }

    private static ILookup<string, (string, string)> Read()
    {
        var sort = "";
        var pairs = new List<(string Sort, string Question, string Answer)>();
        foreach (var line in Resource.Lines("questions.txt"))
        {
            var parts = line.Split(" => ");
            if (parts.Length == 2)
            {
                pairs.Add((sort, parts[0], parts[1]));
            }
            else
            {
                sort = line[1..];
            }
        }

        return pairs.ToLookup(p => p.Sort, p => (p.Question, p.Answer));
    }

    private static ILookup<string, (string, string)> ReadFacts()
    {
        var name = "";
        var facts = new List<(string Name, string Key, string Value)>();
        foreach (var line in Resource.Lines("facts.txt"))
        {
            var parts = line.Split('=');
            if (parts.Length == 2)
            {
                facts.Add((name, parts[0], parts[1]));
            }
            else
            {
                name = line;
            }
        }

        return facts.ToLookup(f => f.Name, f => (f.Key, f.Value));
    }

    [GeneratedRegex(@"\{(?:\w+:)?(\w+)\}")]
    private static partial Regex Slot();
}
