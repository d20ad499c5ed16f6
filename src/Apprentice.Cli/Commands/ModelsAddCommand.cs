using System.CommandLine;
using Apprentice.Cli.LiveView;
using Apprentice.Models.Registry;

namespace Apprentice.Cli.Commands;

/// <summary><c>models add</c>: a model that lies here, or that is downloaded first, gets a name.</summary>
internal static class ModelsAddCommand
{
    private const int LargestLimit = 100_000;

    public static Verb Create(Terminal terminal)
    {
        var source = new Argument<string>("SOURCE")
        {
            Description = "A .gguf file, a Hugging Face folder, an adapter folder or a run folder, which stay where they are; or, to be downloaded, the https address of a .gguf file, or hf:owner/name[:file] on the hub.",
        };
        var name = new Option<string?>("--name") { Description = "The name. Default: as the file, the folder or the repository is called; of a run its id.", HelpName = "NAME" };
        var sha256 = new Option<string?>("--sha256") { Description = "The SHA-256 that the file must have.", HelpName = "HEX" };
        var force = new Option<bool>("--force") { Description = "Replace what has the name already.", Arity = ArgumentArity.Zero };
        var size = CommonOptions.Whole("--max-size", "Download no model that is larger, in GB (default 100).", atLeast: 1);
        var verb = new Verb(
            "add",
            "Give a model a name, by which every command knows it; download it first, if it is not here.",
            "apprentice models add base.gguf --name smol\napprentice models add hf:owner/name:Q8_0")
        {
            source, name, sha256, force, size,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var request = new ModelsAddRequest(
                parsed.GetRequiredValue(source), parsed.GetValue(name), parsed.GetValue(sha256), parsed.GetValue(force), Math.Min(parsed.GetValue(size) ?? 100, LargestLimit) * 1_000_000_000L);
            Print(terminal, await DownloadView.ShowAsync(terminal, progress => ModelsAddWork.RunAsync(request, progress, cancel)));
            return ExitCode.Done;
        });
        return verb;
    }

    private static void Print(Terminal terminal, RegisteredModel model)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(model);
            return;
        }

        terminal.Output.WriteLine(Format.Text(
            $"{model.Name}: {model.Architecture}, {Format.Count(model.Parameters ?? 0)} parameters, {Format.Bytes(model.Bytes)}, {(model.Owned ? "in" : "stays in")} {model.Path}"));
        terminal.Output.WriteLine($"look at it: apprentice models show {model.Name}");
    }
}
