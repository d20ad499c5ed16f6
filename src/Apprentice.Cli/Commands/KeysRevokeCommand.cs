using System.CommandLine;
using Apprentice.Server.Storage;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary><c>keys revoke</c>: a key is good for nothing from now on.</summary>
internal static class KeysRevokeCommand
{
    public static Verb Create(Terminal terminal)
    {
        var which = new Argument<string>("KEY") { Description = "The key's name or id, as keys list shows them." };
        var verb = new Verb("revoke", "Take an API key back. Servers that run refuse it with the next request.", "apprentice keys revoke website")
        {
            which,
        };
        verb.SetAction((parsed, _) =>
        {
            var key = new ApiKeys().Revoke(parsed.GetRequiredValue(which));
            if (terminal.Json)
            {
                terminal.WriteJson(new { Revoked = new { key.Id, key.Name } });
            }
            else
            {
                terminal.Results.MarkupLine($"revoked {Markup.Escape(key.Name)} [grey]({Markup.Escape(key.Id)})[/]");
            }

            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }
}
