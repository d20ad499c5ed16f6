using Apprentice.Server.Storage;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary><c>keys list</c>: the keys that there are, as far as they are kept.</summary>
internal static class KeysListCommand
{
    public static Verb Create(Terminal terminal)
    {
        var verb = new Verb("list", "List the API keys: names, beginnings, and when they were made.", "apprentice keys list");
        verb.SetAction((_, _) =>
        {
            var keys = new ApiKeys().List();
            if (terminal.Json)
            {
                terminal.WriteJson(new { Keys = keys.Select(k => new { k.Id, k.Name, k.Beginning, k.Created }) });
            }
            else if (keys.Count == 0)
            {
                terminal.Results.MarkupLine("There are no API keys. [grey]apprentice keys add NAME makes one.[/]");
            }
            else
            {
                var table = new Table().Border(TableBorder.Simple).AddColumns("name", "key", "id", "made");
                foreach (var key in keys)
                {
                    table.AddRow(Markup.Escape(key.Name), $"{Markup.Escape(key.Beginning)}…", Markup.Escape(key.Id), Format.Text($"{key.Created:yyyy-MM-dd HH:mm} UTC"));
                }

                terminal.Results.Write(table);
            }

            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }
}
