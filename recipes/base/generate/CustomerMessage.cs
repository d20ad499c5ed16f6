namespace Apprentice.Recipes.Base;

/// <summary>One message to a firm or office, with what is known about it.</summary>
internal sealed record CustomerMessage(Domain Domain, string Thing, Problem Problem, string Text)
{
    /// <summary>The reference number in the text, or null.</summary>
    public string? Reference { get; private init; }

    /// <summary>low, normal or high.</summary>
    public string Urgency { get; private init; } = Problem.Urgency;

    /// <summary>Who signed it, or null.</summary>
    public string? Name { get; private init; }

    public static CustomerMessage Of(Draw draw, Domain domain, Problem problem, bool details = true)
    {
        var thing = draw.Pick(domain.Things.Where(t => t.Kind == problem.Kind).ToArray()).Thing;
        var template = draw.Pick(problem.Messages);
        var number = template.Contains("{ref}", StringComparison.Ordinal) ? $"{draw.Number(1000, 99999)}" : "";
        var core = Grammar.Words.Say(draw, template, new Dictionary<string, string> { ["thing"] = thing, ["ref"] = number });
        core = Ended(core);
        var named = number.Length > 0 && core.Contains(number, StringComparison.Ordinal);
        if (!details)
        {
            return new CustomerMessage(domain, thing, problem, Hurried(draw, core)) { Reference = named ? number : null };
        }

        var reference = named ? number : draw.Chance(0.45) ? draw.Pick(["{0}", "{0}", "{0}", "A-{0}", "K{0}", "{0}-B", "R/{0}"]).Replace("{0}", $"{draw.Number(1000, 99999)}") : null;
        var (urgency, remark) = problem.Urgency == "said" ? Pressing(draw) : (problem.Urgency, "");
        var name = draw.Chance(0.2) ? Grammar.Words.Say(draw, draw.Chance(0.5) ? "{first}" : "{person}") : null;
        var parts = new List<string>();
        if (draw.Chance(0.35))
        {
            parts.Add(Grammar.Words.Say(draw, "{greeting}"));
        }

        string[] body = remark.Length == 0 ? [core] : draw.Chance(0.3) ? [remark, core] : [char.IsLetterOrDigit(core[^1]) ? core + "." : core, remark];
        parts.AddRange(body.Select(English.Capital));
        if (reference is not null && !named)
        {
            parts.Add(Grammar.Words.Say(draw, "{refline}", new Dictionary<string, string> { ["ref"] = reference }));
        }

        // Other remarks would speak against the one that says how pressing it is.
        if (problem.Urgency != "said" && draw.Chance(0.3))
        {
            parts.Add(Grammar.Words.Say(draw, problem.Type is "complaint" or "report" ? "{upset}" : problem.Type == "praise" ? "{glad}" : "{courtesy}"));
        }

        if (name is not null)
        {
            parts.Add(Grammar.Words.Say(draw, "{signoff}", new Dictionary<string, string> { ["name"] = name }));
        }

        var text = string.Join(' ', parts);
        return new CustomerMessage(domain, thing, problem, name is null && reference is null ? Hurried(draw, text) : text) { Reference = reference, Name = name, Urgency = urgency };
    }

    public static CustomerMessage Any(Draw draw, IReadOnlyList<Domain> domains, bool details = true)
    {
        var domain = draw.Pick(domains);
        return Of(draw, domain, draw.Pick(domain.Problems.ToArray()), details);
    }

    /// <summary>A reply from the problem's own ones, which mostly names the reference number: a model learns to copy by copying.</summary>
    public string Reply(Draw draw)
    {
        var answer = Ended(Grammar.Words.Say(draw, draw.Pick(Problem.Replies), new Dictionary<string, string> { ["thing"] = Thing }));
        return Reference is null || draw.Chance(0.15)
            ? answer
            : English.Capital(Grammar.Words.Say(draw, "{named_reply}", new Dictionary<string, string> { ["ref"] = Reference, ["answer"] = answer }));
    }

    /// <summary>How pressing it is, and a sentence that says so; ordinary matters need none.</summary>
    private static (string Urgency, string Remark) Pressing(Draw draw) => draw.Number(0, 9) switch
    {
        < 3 => ("low", Grammar.Words.Say(draw, "{calm_remark}")),
        < 6 => ("high", Grammar.Words.Say(draw, "{urgent_remark}")),
        _ => ("normal", ""),
    };

    private static string Ended(string text)
    {
        text = text.TrimEnd();
        return text[^1] is '.' or '?' or '!' ? text : char.IsUpper(text[0]) ? text + "." : text;
    }

    // People write without capitals, without full stops and with slips; a model that only saw neat text is lost on theirs.
    private static string Hurried(Draw draw, string text)
    {
        if (draw.Chance(0.12))
        {
            text = text.ToLowerInvariant();
        }

        if (draw.Chance(0.1))
        {
            text = text.TrimEnd('.', '!');
        }

        return draw.Chance(0.12) ? English.Mistyped(draw, text, 0.15) : text;
    }
}
