using System.CommandLine;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Commands;

/// <summary><c>models rm</c>: a name is forgotten; files that were downloaded for it go, all others stay.</summary>
internal static class ModelsRemoveCommand
{
    public static Verb Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "The name, as 'models list' shows it." };
        var verb = new Verb("rm", "Forget a model's name. The files of a model that was downloaded by 'models add' are deleted; all others stay.", "apprentice models rm smol")
        {
            name,
        };
        verb.SetAction((parsed, _) =>
        {
            Remove(terminal, parsed.GetRequiredValue(name));
            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }

    private static void Remove(Terminal terminal, string name)
    {
        var registry = new ModelRegistry();
        if (registry.Find(name) is null && ModelDownload.RemoveUnfinished(registry, name) is { } bytes)
        {
            Say(terminal, name, deleted: true, bytes, null, $"the unfinished download of {name} is deleted ({Format.Bytes(bytes)})");
            return;
        }

        var (model, folder, heir) = registry.Remove(name);
        Say(terminal, name, folder is not null, model.Bytes, heir, folder is not null ? $"{name} is forgotten, and its files are deleted ({Format.Bytes(model.Bytes)}): {folder}"
            : heir is not null ? $"{name} is forgotten; its files stay, for {heir} is the same: {model.Path}"
            : model.IsMissing() ? $"{name} is forgotten; its files had gone already: {model.Path}"
            : $"{name} is forgotten; its files stay: {model.Path}");
    }

    private static void Say(Terminal terminal, string name, bool deleted, long bytes, string? heir, string text)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(new { Name = name, Deleted = deleted, Bytes = bytes, KeptFor = heir });
            return;
        }

        terminal.Output.WriteLine(text);
    }
}
