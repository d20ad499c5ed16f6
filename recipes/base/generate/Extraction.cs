using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base;

/// <summary>Texts to JSON: the schema in the system message or in the prompt, as keys, as a form or in words; nested, lists, null; and customers' messages to tickets.</summary>
public static class Extraction
{
    public static Instruction Make(Draw draw) => draw.Chance(0.75) ? FromText(draw) : FromMessage(draw);

    private static Instruction FromText(Draw draw)
    {
        var record = Filled.Draw(draw, 2, 7, missing: 0.2);
        var json = record.ToJson();
        var ask = Grammar.Words.Say(draw, "{extract_ask}");
        var rule = record.Fields.Any(f => f.Value is null) || draw.Chance(0.4) ? Grammar.Words.Say(draw, "{null_rule}") : "";

        var keys = draw.Number(0, 3) switch
        {
            0 => $" with the keys {string.Join(", ", Names(json))}",
            1 => $" with {English.Join(Names(json).ToArray())}",
            2 => $" of this form: {Json.Line(Form(record))}",
            _ => $". Keys: {string.Join(", ", Names(json))}",
        };
        var instruction = $"{ask}{keys}. {rule}".TrimEnd();
        if (draw.Chance(0.3))
        {
            instruction += " " + Grammar.Words.Say(draw, "{json_only}");
        }

        var pretty = draw.Chance(0.06);
        if (pretty)
        {
            instruction += " Indent it by two spaces.";
        }

        return Instruction.About(draw, instruction, record.Text, pretty ? Json.Indented(json) : Json.Line(json)) with { Fields = Top(json) };
    }

    private static Instruction FromMessage(Draw draw)
    {
        var message = CustomerMessage.Any(draw, Domain.All);
        var fields = draw.Sample(
            [
                (draw.Pick(["order_number", "reference", "number", "case_id", "ref"]), (object?)message.Reference),
                (draw.Pick(["customer", "name", "sender", "signed_by", "from"]), message.Name),
                (draw.Pick(["thing", "item", "object", "about", "topic"]), message.Thing),
                (draw.Pick(["problem", "issue", "reason", "subject"]), message.Problem.Names[0].Replace('_', ' ')),
                (draw.Pick(["kind", "sort", "message_type", "nature"]), message.Problem.Type),
                (draw.Pick(["asks_question", "question", "is_question"]), message.Text.Contains('?')),
            ],
            draw.Number(2, 5));
        var json = Json.Object(fields);
        var keys = string.Join(", ", Names(json));
        var instruction = draw.Number(0, 2) switch
        {
            0 => $"From the customer's message make a JSON object with the keys {keys}. {Grammar.Words.Say(draw, "{null_rule}")}",
            1 => $"{Grammar.Words.Say(draw, "{extract_ask}")} ({keys}).",
            _ => $"You file messages as JSON. Keys: {keys}. A value that is not given is null.",
        };
        return Instruction.About(draw, instruction, message.Text, Json.Line(json)) with { Fields = Top(json) };
    }

    private static string[] Top(JsonObject json) => json.Select(field => field.Key).ToArray();

    private static IEnumerable<string> Names(JsonObject json, string prefix = "") =>
        json.SelectMany(field => field.Value is JsonObject inner ? Names(inner, field.Key + ".") : [prefix + field.Key]);

    private static JsonObject Form(Filled record) => Filled.Nest(record.Fields.Select(field => (field.Key, (JsonNode?)(field.Field.Value switch
    {
        "truth" => JsonValue.Create("true or false"),
        var rule when rule.StartsWith("number", StringComparison.Ordinal) => JsonValue.Create("number"),
        var rule when rule.StartsWith("list", StringComparison.Ordinal) => new JsonArray("text"),
        _ => JsonValue.Create("text"),
    }))));
}
