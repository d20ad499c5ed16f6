namespace Apprentice.Recipes.Base;

/// <summary>Polite answers of service desks in several voices, conversations of several turns, and tickets as JSON with an answer in them.</summary>
public static class Service
{
    // quickstart's own keys (intent, priority, reply) are left out on purpose: it must measure something new.
    private static readonly string[] KindKeys = ["category", "type", "topic", "kind", "label", "class", "tag", "about", "subject"];
    private static readonly string[] UrgencyKeys = ["urgency", "level", "severity", "importance", "rank", "pressing"];
    private static readonly string[] AnswerKeys = ["answer", "response", "message", "text", "note", "say", "draft"];
    private static readonly string[][] Scales = [["low", "normal", "high"], ["low", "medium", "high"], ["1", "2", "3"], ["later", "soon", "now"], ["minor", "usual", "urgent"], ["green", "amber", "red"]];

    public static Instruction Reply(Draw draw) => Reply(draw, Domain.All);

    /// <summary>What the customers of mail-order shops write, sorted, made a ticket of and answered.</summary>
    public static Instruction Order(Draw draw) => draw.Number(0, 9) switch
    {
        < 5 => Ticket(draw, Domain.Shops),
        < 9 => Classification.Intent(draw, Domain.Shops),
        _ => Reply(draw, Domain.Shops),
    };

    public static Instruction Ticket(Draw draw) => Ticket(draw, Domain.All);

    private static Instruction Reply(Draw draw, IReadOnlyList<Domain> domains)
    {
        var message = CustomerMessage.Any(draw, domains);
        var firm = Grammar.Words.Say(draw, "{firm}");
        var voice = draw.Number(0, 4);
        var answer = message.Reply(draw);
        var (manner, reply) = voice switch
        {
            0 => ("short and friendly", answer),
            1 => ("warm", $"{Hello(draw, message)} {answer} {Grammar.Words.Say(draw, "{warm_close}")}"),
            2 => ("formal", $"Dear {message.Name ?? "customer"}, {English.Uncapital(answer)} {Grammar.Words.Say(draw, "{formal_close}")}"),
            3 => ("one sentence only", OneSentence(answer)),
            _ => ("plain", $"{answer} {Grammar.Words.Say(draw, "{plain_close}")}"),
        };
        var sign = draw.Chance(0.25);
        if (sign)
        {
            reply += $"\nYour {firm} team";
        }

        var system = Grammar.Words.Say(draw, "{desk_system}", new Dictionary<string, string>
        {
            ["firm"] = firm, ["shop"] = message.Domain.Name, ["does"] = message.Domain.Does, ["manner"] = manner,
        }) + (sign ? $" Sign as \"Your {firm} team\"." : "");
        return draw.Number(0, 4) switch
        {
            0 => new(null, $"{Grammar.Words.Say(draw, "{reply_ask}", new Dictionary<string, string> { ["manner"] = manner })}{(sign ? $" Sign as \"Your {firm} team\"." : "")}\n\n{message.Text}", reply),
            1 => Conversation(draw, message, system, reply),
            _ => new(system, message.Text, reply),
        };
    }

    private static Instruction Ticket(Draw draw, IReadOnlyList<Domain> domains)
    {
        var domain = draw.Pick(domains);
        var problem = draw.Pick(domain.Problems.ToArray());
        var message = CustomerMessage.Of(draw, domain, problem);
        var (kind, urgency, answer) = (draw.Pick(KindKeys), draw.Pick(UrgencyKeys), draw.Pick(AnswerKeys));
        var scale = draw.Pick(Scales);
        var level = scale[message.Urgency switch { "low" => 0, "normal" => 1, _ => 2 }];
        var labels = draw.Shuffle(draw.Sample(domain.Problems.Where(p => p != problem), draw.Number(2, 9)).Append(problem));
        var words = draw.Chance(0.3);
        string Label(Problem p) => words ? p.Names[0].Replace('_', ' ') : p.Names[0];
        var fields = draw.Sample([(kind, (object?)Label(problem)), (urgency, level), (answer, message.Reply(draw))], draw.Chance(0.7) ? 3 : 2);
        if (draw.Chance(0.5))
        {
            fields = fields.OrderBy(f => f.Item1 == kind ? 0 : f.Item1 == urgency ? 1 : 2).ToList();
        }

        var told = fields.Select(f => f.Item1 == kind
            ? Grammar.Words.Say(draw, "{kind_words}", new Dictionary<string, string> { ["key"] = kind, ["list"] = string.Join(", ", labels.Select(Label)) })
            : f.Item1 == urgency
                ? Grammar.Words.Say(draw, "{urgency_words}", new Dictionary<string, string> { ["key"] = urgency, ["list"] = English.Join(scale, "or") })
                : Grammar.Words.Say(draw, "{answer_words}", new Dictionary<string, string> { ["key"] = answer }));
        var system = $"{Grammar.Words.Say(draw, "{ticket_system}", new Dictionary<string, string> { ["shop"] = domain.Name, ["keys"] = English.Join(fields.Select(f => f.Item1).ToArray()) })} {string.Join(' ', told)}";
        var json = Json.Line(Json.Object(fields));
        return (draw.Chance(0.7) ? new Instruction(system, message.Text, json) : Instruction.About(draw, system, message.Text, json)) with
        {
            Fields = fields.Select(f => f.Item1).ToArray(),
        };
    }

    private static Instruction Conversation(Draw draw, CustomerMessage message, string system, string reply)
    {
        var turns = new List<string>();
        if (draw.Chance(0.5))
        {
            turns.AddRange([Grammar.Words.Say(draw, "{hello_turn}"), Grammar.Words.Say(draw, "{hello_answer}")]);
        }

        if (message.Reference is null && draw.Chance(0.6))
        {
            var number = draw.Number(1000, 99999);
            turns.AddRange([message.Text, Grammar.Words.Say(draw, "{ask_number}"), Grammar.Words.Say(draw, "{tell_number}", new Dictionary<string, string> { ["ref"] = $"{number}" }), reply]);
        }
        else
        {
            turns.AddRange([message.Text, reply]);
        }

        if (draw.Chance(0.6))
        {
            turns.AddRange([Grammar.Words.Say(draw, "{thanks_turn}"), Grammar.Words.Say(draw, "{thanks_answer}")]);
        }

        return new(system, turns);
    }

    private static string Hello(Draw draw, CustomerMessage message) =>
        message.Name is null ? draw.Pick(["Hello!", "Hi there!", "Good day!"]) : $"{draw.Pick(["Hello", "Hi"])} {message.Name.Split(' ')[0]}!";

    private static string OneSentence(string text)
    {
        var end = text.IndexOfAny(['.', '?', '!']);
        var second = text[(end + 1)..].Trim();
        return second.Length > text[..end].Length ? second : text[..(end + 1)];
    }
}
