using System.CommandLine;
using Apprentice.Cli.Quickstart;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Cli.Commands;

/// <summary><c>new</c>: a folder with a commented recipe and sample data to start from.</summary>
internal static class NewCommand
{
    private const string Recipe = "recipe.yaml", Examples = "examples.jsonl", Test = "test.jsonl";

    public static Verb Create(Terminal terminal)
    {
        var folder = new Argument<string>("DIR") { Description = "The folder to make; it may be there, but empty." };
        var verb = new Verb("new", "Make a folder with a commented recipe and sample data to start from.", "apprentice new tickets\napprentice train tickets")
        {
            folder,
        };
        verb.SetAction((parsed, _) =>
        {
            var path = parsed.GetRequiredValue(folder);
            Write(path);
            Print(terminal, path);
            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }

    private static void Write(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new InputException("folder_not_empty", "there is something there already, and nothing is overwritten", folder, hint: "name a folder that is not there yet");
        }

        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.Write(Path.Combine(folder, Examples), Copy(SupportDesk.TrainingFile));
            AtomicFile.Write(Path.Combine(folder, Test), Copy(SupportDesk.TestFile));
            AtomicFile.Write(Path.Combine(folder, Recipe), Copy(Path.Combine(AppContext.BaseDirectory, "New", Recipe)));
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(folder, e);
        }
    }

    private static Action<Stream> Copy(string file) => target =>
    {
        using var source = File.OpenRead(file);
        source.CopyTo(target);
    };

    private static void Print(Terminal terminal, string folder)
    {
        var files = new[] { Recipe, Examples, Test }.Select(name => Path.Combine(folder, name)).ToArray();
        if (terminal.Json)
        {
            terminal.WriteJson(new { Folder = folder, Files = files });
            return;
        }

        terminal.Output.WriteLine($"""
            {files[0]}  what is trained, and how; each line is explained
            {files[1]}  what it learns from: sample examples, to be replaced by yours
            {files[2]}  held-out examples to judge it by, likewise

            train it:  {Invocation.Name} train {folder}
            judge it:  {Invocation.Name} evaluate --model {Path.Combine(folder, "runs/first")} --data {files[2]}
            """);
    }
}
