namespace Apprentice.Recipes.Base;

/// <summary>Messages to labels: intents of a trade, listed or not, as snake_case or words; department, urgency, sort; topics; few-shot lists.</summary>
public static class Classification
{
    private static readonly string[] Marks = ["Labels", "Intents", "Categories", "Classes", "Options", "Topics", "Tags"];

    public static Instruction Make(Draw draw) => draw.Number(0, 99) switch
    {
        < 38 => Listed(draw, Domain.All),
        < 58 => Unlisted(draw, Domain.All),
        < 68 => FewShot(draw, Domain.All),
        < 76 => Department(draw),
        < 86 => Trait(draw),
        _ => Topic(draw),
    };

    /// <summary>What a message of these domains' customers is about.</summary>
    internal static Instruction Intent(Draw draw, IReadOnlyList<Domain> domains) => draw.Number(0, 9) switch
    {
        < 5 => Listed(draw, domains),
        < 8 => Unlisted(draw, domains),
        _ => FewShot(draw, domains),
    };

    private static Instruction Listed(Draw draw, IReadOnlyList<Domain> domains)
    {
        var domain = draw.Pick(domains);
        var style = Style(draw);
        var (labels, right) = Labels(draw, domain, draw.Number(3, 20), style);
        var message = CustomerMessage.Of(draw, domain, right.Problem, draw.Chance(0.5));
        var mark = draw.Pick(Marks);
        var list = List(draw, draw.Shuffle(labels));
        var ask = Grammar.Words.Say(draw, "{classify_ask}", new Dictionary<string, string> { ["what"] = mark[..^1].ToLowerInvariant().Replace("categorie", "category").Replace("classe", "class") });
        return draw.Number(0, 3) switch
        {
            0 => new($"{ask}\n{mark}: {list}", message.Text, right.Label),
            1 => new(null, $"{ask}\n\n{mark}: {list}\n\n{draw.Pick(["Message", "Text", "Customer"])}: {message.Text}", right.Label),
            2 => new(null, $"{draw.Pick(["Message", "Text", "Customer", "Input"])}: {message.Text}\n{mark}: {list}\n{ask}", right.Label),
            _ => new($"You sort the messages of {English.WithArticle(domain.Name)}. {ask}", $"{mark}: {list}\n\n{message.Text}", right.Label),
        };
    }

    private static Instruction Unlisted(Draw draw, IReadOnlyList<Domain> domains)
    {
        var domain = draw.Pick(domains);
        var problem = draw.Pick(domain.Problems.ToArray());
        var message = CustomerMessage.Of(draw, domain, problem, draw.Chance(0.4));
        var withThing = draw.Chance(0.5);
        var label = withThing ? $"{Snake(message.Thing)}_{problem.Names[0]}" : problem.Names[0];
        var what = withThing ? "the thing and the problem" : "the problem";
        return draw.Number(0, 3) switch
        {
            0 => new(Grammar.Words.Say(draw, "{unlisted_ask}"), message.Text, label),
            1 => new(null, $"{Grammar.Words.Say(draw, "{unlisted_ask}")}\n\n{message.Text}", label),
            2 => new($"Name {what} in snake_case.", message.Text, label),
            _ => new(null, message.Text + "\n\n" + $"Label ({what}, snake_case):", label),
        };
    }

    private static Instruction FewShot(Draw draw, IReadOnlyList<Domain> domains)
    {
        var domain = draw.Pick(domains);
        var style = Style(draw);
        var (labels, right) = Labels(draw, domain, draw.Number(2, 5), style);
        var (question, answer) = draw.Pick([("Message", "Label"), ("Text", "Category"), ("Input", "Output"), ("Customer", "Intent"), ("Q", "A")]);
        var shots = labels.Select(label => (CustomerMessage.Of(draw, domain, label.Problem, details: false).Text, label.Label));
        if (draw.Chance(0.5))
        {
            var turns = draw.Shuffle(shots).SelectMany(shot => new[] { shot.Text, shot.Label }).Append(CustomerMessage.Of(draw, domain, right.Problem, false).Text).Append(right.Label);
            return new(draw.Chance(0.5) ? Grammar.Words.Say(draw, "{unlisted_ask}") : null, turns.ToArray());
        }

        var text = string.Join("\n\n", draw.Shuffle(shots).Select(shot => $"{question}: {shot.Text}\n{answer}: {shot.Label}"));
        return new(null, $"{text}\n\n{question}: {CustomerMessage.Of(draw, domain, right.Problem, false).Text}\n{answer}:", right.Label);
    }

    private static Instruction Department(Draw draw)
    {
        var domains = draw.Sample(Domain.All, draw.Number(3, 8));
        var right = domains[0];
        var message = CustomerMessage.Of(draw, right, draw.Pick(right.Problems.ToArray()));
        var style = draw.Number(0, 1);
        string Label(Domain domain) => style == 0 ? domain.Name : Snake(domain.Name);
        return Instruction.About(
            draw, $"{Grammar.Words.Say(draw, "{department_ask}")} {draw.Pick(Marks)}: {List(draw, draw.Shuffle(domains).Select(d => new Named(Label(d), message.Problem)))}", message.Text, Label(right));
    }

    private static Instruction Trait(Draw draw)
    {
        var message = CustomerMessage.Any(draw, Domain.All);
        if (draw.Chance(0.5))
        {
            var scale = draw.Pick<string[]>([["low", "normal", "high"], ["can wait", "soon", "at once"], ["green", "yellow", "red"], ["1", "2", "3"]]);
            var at = message.Problem.Urgency switch { "low" => 0, "normal" => 1, _ => 2 };
            return Instruction.About(draw, $"{Grammar.Words.Say(draw, "{urgency_ask}")} Answer with {English.Join(scale, "or")}.", message.Text, scale[at]);
        }

        var types = draw.Shuffle(Problem.All.Select(p => p.Type).Distinct());
        return Instruction.About(draw, $"{Grammar.Words.Say(draw, "{type_ask}")} Choose from {English.Join(types, "or")}.", message.Text, message.Problem.Type);
    }

    private static Instruction Topic(Draw draw)
    {
        var topics = draw.Sample(Grammar.Words.Rule("topic"), draw.Number(3, 8));
        var text = Grammar.Words.Say(draw, $"{{on_{topics[0].Replace(' ', '_')}}}");
        var style = Style(draw);
        var list = string.Join(", ", draw.Shuffle(topics).Select(topic => Styled(topic, style)));
        return Instruction.About(draw, $"{Grammar.Words.Say(draw, "{topic_ask}")} {draw.Pick(Marks)}: {list}", text, Styled(topics[0], style));
    }

    private sealed record Named(string Label, Problem Problem);

    private static (List<Named> Labels, Named Right) Labels(Draw draw, Domain domain, int count, int style)
    {
        // Some lists mix in problems of other trades, as long lists of real desks do.
        var own = draw.Sample(domain.Problems, count);
        var others = draw.Sample(domain.Catalogue.Except(own), count - own.Count);
        var labels = own.Concat(others).Select(problem => new Named(Styled(draw.Pick(problem.Names).Replace('_', ' '), style), problem)).ToList();
        return (labels, labels[draw.Number(0, own.Count - 1)]);
    }

    private static int Style(Draw draw) => draw.Pick([0, 0, 0, 0, 1, 1, 2, 3, 4]);

    private static string Styled(string label, int style) => style switch
    {
        0 => Snake(label),
        1 => label,
        2 => English.Capital(label),
        3 => Snake(label).ToUpperInvariant(),
        _ => label.Replace(' ', '-'),
    };

    private static string Snake(string label) => label.Replace(' ', '_').Replace("'", "", StringComparison.Ordinal);

    private static string List(Draw draw, IEnumerable<Named> labels) => draw.Number(0, 3) switch
    {
        0 => "\n" + string.Join('\n', labels.Select(l => "- " + l.Label)),
        1 => string.Join(" | ", labels.Select(l => l.Label)),
        _ => string.Join(", ", labels.Select(l => l.Label)),
    };
}
