namespace Apprentice.Recipes.Base;

/// <summary>What customers write about: names for it in snake_case (the first is the usual one), how urgent it is (or <c>said</c>: the message says so), what sort of message it is.</summary>
internal sealed record Problem(string Kind, IReadOnlyList<string> Names, string Urgency, string Type)
{
    public List<string> Messages { get; } = [];

    public List<string> Replies { get; } = [];

    /// <summary>All of <c>problems.txt</c>.</summary>
    public static IReadOnlyList<Problem> All { get; } = Read("problems.txt").ToArray();

    /// <summary>All of <c>orders.txt</c>.</summary>
    public static IReadOnlyList<Problem> OfOrders { get; } = Read("orders.txt").ToArray();

    private static List<Problem> Read(string file)
    {
        var problems = new List<Problem>();
        foreach (var line in Resource.Lines(file))
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
/// <param name="Catalogue">The problems of all domains of the same file.</param>
internal sealed record Domain(string Name, string Does, IReadOnlyList<Problem> Catalogue)
{
    public List<(string Thing, string Kind)> Things { get; } = [];

    /// <summary>All of <c>domains.txt</c>.</summary>
    public static IReadOnlyList<Domain> All { get; } = Read("domains.txt", Problem.All).ToArray();

    /// <summary>All of <c>shops.txt</c>, which send what they sell by post.</summary>
    public static IReadOnlyList<Domain> Shops { get; } = Read("shops.txt", Problem.OfOrders).ToArray();

    /// <summary>The problems that something of this domain can have.</summary>
    public IEnumerable<Problem> Problems => Catalogue.Where(problem => Things.Any(thing => thing.Kind == problem.Kind));

    private static List<Domain> Read(string file, IReadOnlyList<Problem> catalogue)
    {
        var kinds = catalogue.Select(problem => problem.Kind).ToHashSet();
        var domains = new List<Domain>();
        foreach (var line in Resource.Lines(file))
        {
            var parts = line.Split(": ", 2);
            if (kinds.Contains(parts[0]))
            {
                domains[^1].Things.AddRange(parts[1].Split(", ").Select(thing => (thing, parts[0])));
            }
            else
            {
                domains.Add(new Domain(parts[0], parts[1], catalogue));
            }
        }

        return domains;
    }
}
