using System.CommandLine;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary><c>models list</c>: the models that are known by a name.</summary>
internal static class ModelsListCommand
{
    public static Verb Create(Terminal terminal)
    {
        var verb = new Verb("list", "List the models that are known by a name.", "apprentice models list\napprentice models list --json");
        verb.SetAction((_, _) =>
        {
            var registry = new ModelRegistry();
            Print(terminal, registry.List(), ModelDownload.Unfinished(registry));
            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }

    private static void Print(Terminal terminal, IReadOnlyList<RegisteredModel> models, IReadOnlyList<UnfinishedDownload> unfinished)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(new
            {
                Models = models.Select(m => new { m.Name, m.Kind, m.Architecture, m.Parameters, m.Bytes, m.Path, m.Source, m.Sha256, m.License, m.Created, m.Owned, Missing = m.IsMissing() }),
                Unfinished = unfinished,
            });
            return;
        }

        if (models.Count == 0)
        {
            terminal.Output.WriteLine("no model has a name yet, but for base, which is built in; give it one: apprentice models add SOURCE");
        }
        else
        {
            terminal.Results.Write(Table(models));
        }

        foreach (var download in unfinished)
        {
            terminal.Output.WriteLine($"unfinished download of {download.Name}: {Format.Bytes(download.Bytes)} are there; 'models add' again goes on, 'models rm {download.Name}' removes it");
        }
    }

    private static Table Table(IReadOnlyList<RegisteredModel> models)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("name").NoWrap()).AddColumn("kind");
        table.AddColumn(new TableColumn("parameters").RightAligned()).AddColumn(new TableColumn("size").RightAligned().NoWrap()).AddColumn("source").AddColumn(new TableColumn("created").NoWrap());
        foreach (var m in models)
        {
            table.AddRow(
                Markup.Escape(m.Name), Markup.Escape(ModelTable.Plain($"{m.Kind ?? "?"}, {m.Architecture ?? "?"}")), m.Parameters is { } parameters ? Format.Many(parameters) : "", Format.Bytes(m.Bytes),
                m.IsMissing() ? $"[red]gone:[/] {Markup.Escape(ModelTable.Plain(m.Path))}" : Markup.Escape(ModelTable.Plain(m.Source ?? m.Path)), Format.Date(m.Created));
        }

        return table;
    }
}
