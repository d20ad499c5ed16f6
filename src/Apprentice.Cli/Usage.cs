using System.CommandLine;
using Apprentice.Data;

namespace Apprentice.Cli;

/// <summary>Says what is wrong with a command line that does not parse, and which name may have been meant.</summary>
internal static class Usage
{
    public static InputException Error(ParseResult parsed)
    {
        var path = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            path.Insert(0, result.Command is RootCommand ? "apprentice" : result.Command.Name);
        }

        // A missing command is said beside an unknown one; the unknown one is the news.
        var unknown = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        var message = unknown is null
            ? string.Join(" ", parsed.Errors.Select(e => e.Message))
            : $"'{unknown}' is not {(unknown.StartsWith('-') ? "an option" : "a command or argument")} of '{string.Join(' ', path)}'.";
        var meant = unknown is null ? null : Nearest(unknown, Names(parsed.CommandResult.Command));
        var help = $"'{string.Join(' ', path)} --help' shows what there is";
        return new InputException("bad_usage", message, hint: meant is null ? help : $"did you mean '{meant}'? {help}");
    }

    private static IEnumerable<string> Names(Command command) =>
        command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name));

    private static string? Nearest(string given, IEnumerable<string> names) => names
        .Select(name => (name, distance: EditDistance(given, name)))
        .Where(n => n.distance <= Math.Max(1, n.name.TrimStart('-').Length / 2))
        .OrderBy(n => n.distance)
        .Select(n => n.name)
        .FirstOrDefault();

    // Levenshtein's distance, one row at a time.
    private static int EditDistance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= Math.Min(a.Length, 100); i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
