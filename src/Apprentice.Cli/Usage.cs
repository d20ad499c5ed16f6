using System.CommandLine;
using System.CommandLine.Parsing;
using Apprentice.Data;
using Apprentice.Training.Recipes;

namespace Apprentice.Cli;

/// <summary>Says what is wrong with a command line that does not parse, and which name may have been meant.</summary>
internal static class Usage
{
    public static InputException Error(ParseResult parsed)
    {
        var path = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as CommandResult)
        {
            path.Insert(0, result.Command is RootCommand ? "apprentice" : result.Command.Name);
        }

        // A missing command is said beside an unknown one; the unknown one is the news.
        var unknown = UnknownOption(parsed.CommandResult) ?? (parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null);
        var message = unknown is null
            ? string.Join(" ", parsed.Errors.Select(e => e.Message))
            : $"'{unknown}' is not {(unknown.StartsWith('-') ? "an option" : "a command or argument")} of '{string.Join(' ', path)}'.";
        var meant = unknown is null ? null : Meant(unknown, [.. Names(parsed.CommandResult.Command)]);
        var help = $"'{string.Join(' ', path)} --help' shows what there is";
        return new InputException("bad_usage", message, hint: meant is null ? help : $"did you mean '{meant}'? {help}");
    }

    /// <summary>
    /// What looks like an option and was taken for an argument, or for one more value of the option before it:
    /// System.CommandLine would have <c>--lr</c> be a recipe's name.
    /// </summary>
    public static string? UnknownOption(CommandResult command) => command.Children
        .SelectMany(child => child switch
        {
            ArgumentResult argument => argument.Tokens,
            OptionResult { Option.AllowMultipleArgumentsPerToken: true } option => option.Tokens,
            _ => [],
        })
        .Select(token => token.Value)
        .FirstOrDefault(value => value.Length > 1 && value[0] == '-');

    /// <summary>An option or argument that was given nothing, as an unset variable of a shell does; only texts may be empty.</summary>
    public static string? EmptyName(CommandResult command) => command.Children
        .Select(child => child switch
        {
            OptionResult option => (option.Option.Name, option.Tokens),
            ArgumentResult argument => (argument.Argument.Name, argument.Tokens),
            _ => (Name: "", Tokens: []),
        })
        .Where(given => given.Name is not ("--prompt" or "--text" or "--system" or "--stop") && given.Tokens.Any(t => t.Value.Length == 0))
        .Select(given => $"{given.Name} is given nothing.")
        .FirstOrDefault();

    private static IEnumerable<string> Names(Command command) =>
        command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name));

    // A field of a recipe by the name it has in another trainer (--lr), or else the nearest name.
    private static string? Meant(string unknown, IReadOnlyList<string> names)
    {
        var elsewhere = RecipeField.All.FirstOrDefault(f => f.AlsoCalled.Contains(unknown.TrimStart('-').Replace('-', '_')))?.Option;
        return elsewhere is not null && names.Contains(elsewhere) ? elsewhere : Suggestion.Nearest(unknown, names);
    }
}
