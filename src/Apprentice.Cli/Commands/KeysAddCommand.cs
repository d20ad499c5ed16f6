using System.CommandLine;
using Apprentice.Server.Storage;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary><c>keys add</c>: makes a key and shows it, this once.</summary>
internal static class KeysAddCommand
{
    public static Verb Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "Who will use it." };
        var verb = new Verb(
            "add",
            "Make an API key. It is shown once; stored is only its hash.",
            "apprentice keys add website\nexport OPENAI_API_KEY=$(apprentice keys add website --json | jq -r .secret)")
        {
            name,
        };
        verb.SetAction((parsed, _) =>
        {
            var (key, secret) = new ApiKeys().Add(parsed.GetRequiredValue(name));
            if (terminal.Json)
            {
                terminal.WriteJson(new { key.Id, key.Name, Secret = secret, key.Created });
            }
            else
            {
                terminal.Results.MarkupLine(Markup.Escape(secret));
                terminal.Progress.MarkupLine($"[grey]This is the key '{Markup.Escape(key.Name)}' ({key.Id}). It is not shown again: keep it where only its user sees it.[/]");
            }

            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }
}
