using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Apprentice.Cli.Commands;
using Apprentice.Training;

namespace Apprentice.Cli;

/// <summary>
/// The frame around all commands: which there are, how they are parsed, how help looks, and how an error becomes a
/// message and an exit code. What a command does is in Commands/, one verb one file.
/// </summary>
internal static class CommandLine
{
    /// <summary>Runs one command line and returns the exit code; throws nothing.</summary>
    public static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancel) =>
        RunAsync(args, Verbs, output, error, cancel);

    /// <summary>The same with the verbs given, for tests.</summary>
    internal static async Task<int> RunAsync(
        string[] args, Func<Terminal, IEnumerable<Verb>> verbs, TextWriter output, TextWriter error, CancellationToken cancel)
    {
        var terminal = new Terminal(output, error, json: args.Contains(CommonOptions.Json.Name));
        try
        {
            var parsed = Create(verbs(terminal)).Parse(args.Length > 0 ? args : ["--help"], new ParserConfiguration
            {
                ResponseFileTokenReplacer = null, // "@someone, hello" is a prompt, not the name of a file of options
                EnablePosixBundling = false,
            });
            if (parsed.Action is System.CommandLine.Invocation.ParseErrorAction or null)
            {
                throw Usage.Error(parsed);
            }

            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = output,
                    Error = error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null, // Interrupt handles Ctrl-C: saving may take longer than any timeout
                },
                cancel);
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, terminal, cancel);
        }
    }

    private static IEnumerable<Verb> Verbs(Terminal terminal)
    {
        yield return TrainCommand.Create(terminal, (recipe, progress, cancel) => Task.Run(() => Work.Registered(Trainer.Train(recipe, progress, cancel), progress), CancellationToken.None));
        yield return ResumeCommand.Create(terminal, (run, progress, cancel) => Task.Run(() => Work.Registered(Trainer.Resume(run, progress, cancel), progress), CancellationToken.None));
        yield return EvaluateCommand.Create(terminal, (request, progress, cancel) => Task.Run(() => Work.Evaluate(request, progress, cancel), cancel));
        yield return GenerateCommand.Create(terminal, (request, show, cancel) => Task.Run(() => Work.Generate(request, show, cancel), cancel));
        yield return ChatCommand.Create(terminal);
        yield return ExportCommand.Create(terminal, (request, note, progress, cancel) => Task.Run(() => ExportWork.Run(request, note, progress, cancel), cancel));
        yield return ServeCommand.Create(terminal);
        yield return KeysCommand.Create(terminal);
        yield return ModelsCommand.Create(terminal);
        yield return TokenizeCommand.Create(terminal);
        yield return TokenizerCommand.Create(terminal, (request, progress, cancel) => Task.Run(() => TokenizerWork.Train(request, progress, cancel), cancel));
        yield return QuickstartCommand.Create(terminal);
        yield return NewCommand.Create(terminal);
    }

    private static RootCommand Create(IEnumerable<Verb> verbs)
    {
        var root = new RootCommand("Fine-tune a language model on your own examples, measure it on held-out ones, and use it.")
        {
            CommonOptions.Json,
        };
        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new Verb.Help((HelpAction)help.Action!);
        }

        return root;
    }
}
