using System.Globalization;
using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base;

/// <summary>A field of a record: how it may be called, how its value is made, what one asks for it, and sentences that tell it.</summary>
internal sealed record Field(IReadOnlyList<string> Keys, string Value, string Question, IReadOnlyList<string> Sentences);

/// <summary>A sort of record, from <c>records.txt</c>.</summary>
internal sealed record RecordKind(string Name)
{
    public List<Field> Fields { get; } = [];

    public static IReadOnlyList<RecordKind> All { get; } = Read().ToArray();

    private static List<RecordKind> Read()
    {
        var kinds = new List<RecordKind>();
        foreach (var line in Resource.Lines("records.txt"))
        {
            if (!line.Contains(" = "))
            {
                kinds.Add(new RecordKind(line));
                continue;
            }

            var parts = line.Split(" : ", 3);
            var (keys, value) = (parts[0].Split(" = ")[0], parts[0].Split(" = ")[1]);
            kinds[^1].Fields.Add(new Field(keys.Split(','), value, parts[1], parts[2].Split(value == "truth" ? " ~ " : " ; ")));
        }

        return kinds;
    }
}

/// <summary>One field as drawn: its key (a dot nests), its value, null where the text does not tell it, and the sentence.</summary>
internal sealed record Told(string Key, object? Value, string Sentence, Field Field);

/// <summary>A record as drawn, with a text that tells it.</summary>
internal sealed record Filled(RecordKind Kind, IReadOnlyList<Told> Fields, string Text)
{
    public static Filled Draw(Draw draw, int fewest, int most, double missing)
    {
        var kind = draw.Pick(RecordKind.All);
        var chosen = draw.Sample(kind.Fields.Skip(1), draw.Number(fewest - 1, most - 1)).Prepend(kind.Fields[0]);
        var parents = draw.Number(0, 2); // so that the parts of a nested object are called alike
        var told = chosen.OrderBy(kind.Fields.IndexOf).Select((field, i) => Tell(draw, field, parents, i > 0 && draw.Chance(missing))).DistinctBy(t => t.Key).ToList();
        var sentences = told.Where(t => t.Value is not null).Select(t => t.Sentence).ToList();
        if (draw.Chance(0.4))
        {
            sentences = [sentences[0], .. draw.Shuffle(sentences.Skip(1))];
        }

        return new Filled(kind, draw.Chance(0.3) ? draw.Shuffle(told) : told, string.Join(' ', sentences));
    }

    /// <summary>The record as JSON, keys with dots as nested objects.</summary>
    public JsonObject ToJson() => Nest(Fields.Select(field => (field.Key, Json.Of(field.Value))));

    public static JsonObject Nest(IEnumerable<(string Key, JsonNode? Value)> fields)
    {
        var json = new JsonObject();
        foreach (var (key, value) in fields)
        {
            var dot = key.IndexOf('.');
            if (dot < 0)
            {
                json[key] = value;
                continue;
            }

            var inner = json[key[..dot]] as JsonObject;
            if (inner is null)
            {
                json[key[..dot]] = inner = [];
            }

            inner[key[(dot + 1)..]] = value;
        }

        return json;
    }

    /// <summary>A value as one says it.</summary>
    public static string Spoken(object? value) => value switch
    {
        bool truth => truth ? "Yes" : "No",
        IReadOnlyList<string> items => English.Join(items),
        _ => $"{value}",
    };

    private static Told Tell(Draw draw, Field field, int spelling, bool missing)
    {
        var key = field.Keys[field.Keys[0].Contains('.') ? spelling : draw.Number(0, 2)];
        if (missing)
        {
            return new Told(key, null, "", field);
        }

        object value = field.Value switch
        {
            "truth" => draw.Chance(0.5),
            var rule when rule.StartsWith("number ", StringComparison.Ordinal) => draw.Number(int.Parse(rule.Split(' ')[1], CultureInfo.InvariantCulture), int.Parse(rule.Split(' ')[2], CultureInfo.InvariantCulture)),
            var rule when rule.StartsWith("list ", StringComparison.Ordinal) => Many(draw, rule[5..]),
            var rule => Grammar.Words.Say(draw, rule),
        };
        var ways = value is bool truth ? field.Sentences[truth ? 0 : 1].Split(" ; ") : field.Sentences;
        var spoken = Spoken(value);
        var sentence = Grammar.Words.Say(draw, draw.Pick(ways).Replace("{}", "{v}").Replace("{a}", "{a:v}"), new Dictionary<string, string> { ["v"] = spoken });
        return new Told(key, value, English.Capital(sentence), field);
    }

    private static string[] Many(Draw draw, string rule) =>
        Enumerable.Range(0, draw.Number(1, 4)).Select(_ => Grammar.Words.Say(draw, rule)).Distinct().ToArray();
}
