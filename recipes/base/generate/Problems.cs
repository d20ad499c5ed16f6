namespace Apprentice.Recipes.Base;

/// <summary>What customers write about: names for it in snake_case (the first is the usual one), how urgent it is, what sort of message it is.</summary>
internal sealed record Problem(string Kind, IReadOnlyList<string> Names, string Urgency, string Type)
{
    public List<string> Messages { get; } = [];

    public List<string> Replies { get; } = [];

    /// <summary>All of <c>problems.txt</c>.</summary>
    public static IReadOnlyList<Problem> All { get; } = Read().ToArray();

    private static List<Problem> Read()
    {
        var problems = new List<Problem>();
        foreach (var line in Resource.Lines("problems.txt"))
        {
            if (line[0] is '-' or '>')
            {
                (line[0] == '-' ? problems[^1].Messages : problems[^1].Replies).Add(line[2..]);
            }
            else
            {
                var parts = line.Split(' ');
                problems.Add(new Problem(parts[0], parts[1].Split(','), parts[2], parts[3]));
            }
        }

        return problems;
    }
}

/// <summary>A trade or office, and the things that people write to it about, each with the kind of problem that it can have.</summary>
internal sealed record Domain(string Name, string Does)
{
    public List<(string Thing, string Kind)> Things { get; } = [];

    /// <summary>All of <c>domains.txt</c>.</summary>
    public static IReadOnlyList<Domain> All { get; } = Read().ToArray();

    /// <summary>The problems that something of this domain can have.</summary>
    public IEnumerable<Problem> Problems => Problem.All.Where(problem => Things.Any(thing => thing.Kind == problem.Kind));

    private static List<Domain> Read()
    {
        var kinds = Problem.All.Select(problem => problem.Kind).ToHashSet();
        var domains = new List<Domain>();
        foreach (var line in Resource.Lines("domains.txt"))
        {
            var parts = line.Split(": ", 2);
            if (kinds.Contains(parts[0]))
            {
                domains[^1].Things.AddRange(parts[1].Split(", ").Select(thing => (thing, parts[0])));
            }
            else
            {
                domains.Add(new Domain(parts[0], parts[1]));
            }
        }

        return domains;
    }
}
