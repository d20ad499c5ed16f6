namespace Apprentice.Recipes.Base;

/// <summary>Questions on a given passage or JSON record, "not stated" where it does not say.</summary>
public static class Passages
{
    public static Instruction Make(Draw draw)
    {
        var record = Filled.Draw(draw, 3, 7, missing: 0.2);
        var asked = draw.Chance(0.75) ? draw.Pick(record.Fields.Where(f => f.Value is not null).ToArray()) : draw.Pick(record.Fields);
        var missing = Grammar.Words.Say(draw, "{not_stated}");
        var answer = asked.Value is null ? missing : English.Capital(Filled.Spoken(asked.Value));
        if (draw.Chance(0.15))
        {
            var json = draw.Chance(0.5) ? Json.Line(record.ToJson()) : Json.Indented(record.ToJson());
            return new(null, $"{json}\n\n{asked.Field.Question}", asked.Value is null ? "The value is null, so it is not known." : answer);
        }

        var source = draw.Chance(0.2) && asked.Value is not null ? asked.Sentence : answer;
        var rule = asked.Value is null || draw.Chance(0.4) ? $" If the answer is not there, say \"{missing}\"{(missing.EndsWith('.') ? "" : ".")}" : "";
        var ask = Grammar.Words.Say(draw, "{passage_ask}") + rule + (source == answer ? "" : " Quote the sentence.");
        return draw.Number(0, 3) switch
        {
            0 => new(ask, $"{record.Text}\n\n{asked.Field.Question}", source),
            1 => new(null, $"{ask}\n\n{draw.Pick(["Text", "Passage", "Note"])}: {record.Text}\nQuestion: {asked.Field.Question}", source),
            2 => new($"{ask}\n\n{record.Text}", asked.Field.Question, source),
            _ => FollowUp(draw, record, asked, ask, source, missing),
        };
    }

    // A second question on the same passage: the model must not repeat its first answer.
    private static Instruction FollowUp(Draw draw, Filled record, Told asked, string ask, string answer, string missing)
    {
        var other = draw.Pick(record.Fields.Where(f => f != asked && f.Value is not null).DefaultIfEmpty(asked).ToArray());
        var rule = ask.EndsWith("Quote the sentence.", StringComparison.Ordinal);
        var otherAnswer = other.Value is null ? missing : rule ? other.Sentence : English.Capital(Filled.Spoken(other.Value));
        return new($"{ask}\n\n{record.Text}", other.Field.Question, otherAnswer, asked.Field.Question, answer);
    }
}
