using System.CommandLine;
using Apprentice.Cli.Chat;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary>
/// <c>chat</c>: a conversation, on a terminal or with a line of standard input for each message. With <c>--json</c> the whole of it is
/// printed at its end.
/// </summary>
internal static class ChatCommand
{
    private const int MaxTokens = 1024;

    public static Verb Create(Terminal terminal)
    {
        var model = CommonOptions.Model();
        var adapter = CommonOptions.Adapter();
        var system = CommonOptions.System();
        var raw = CommonOptions.Raw();
        var threads = CommonOptions.Threads();
        var sampling = new SamplingOptionSet(MaxTokens);
        var verb = new Verb(
            "chat",
            "Talk with a model. Within the conversation /help shows what can be done, Ctrl-C stops an answer, Ctrl-D ends.",
            "apprentice chat --model runs/tickets\necho \"My card has not arrived\" | apprentice chat --model runs/tickets")
        {
            model, adapter, system, raw, threads,
        };
        sampling.AddTo(verb);
        verb.SetAction(async (parsed, cancel) =>
        {
            var options = sampling.Read(parsed);
            var reference = parsed.GetRequiredValue(model);
            var run = RunFolder.RecipeOf(reference);
            using var loaded = LoadedModel.Open(reference, adapter: parsed.GetValue(adapter));
            using var engine = new Engine(parsed.GetValue(threads));
            var withoutTemplate = parsed.GetValue(raw) || run?.Raw == true;
            if (!withoutTemplate)
            {
                loaded.Text.RequireTemplate(); // says so before somebody has typed a question
            }

            var session = new ChatSession(loaded, engine, withoutTemplate) { System = parsed.GetValue(system) ?? run?.System };
            var view = new ChatView(terminal);
            var loop = new ChatLoop(session, options, view);
            await loop.RunAsync(Reader(terminal, view, reference, session), cancel);
            if (terminal.Json)
            {
                terminal.WriteJson(new { session.Messages, Answers = loop.Answers.Select(Row) });
            }

            return ExitCode.Done;
        });
        return verb;
    }

    private static Func<bool, string?> Reader(Terminal terminal, ChatView view, string model, ChatSession session)
    {
        if (!view.IsLive)
        {
            return _ => Console.In.ReadLine();
        }

        view.Note(Format.Text($"{model} · context {Format.Count(session.ContextLength)} tokens"));
        view.Note("/help shows the words to the program · Ctrl-C stops an answer · Ctrl-D ends\n");
        return new TerminalPrompt(terminal.Results).Read;
    }

    private static object Row(ChatAnswer answer) => new
    {
        answer.Text,
        answer.PromptTokens,
        answer.CachedTokens,
        answer.Generation?.CompletionTokens,
        FinishReason = answer.Generation?.FinishReason ?? "interrupted",
        answer.Generation?.PromptTokensPerSecond,
        answer.Generation?.TokensPerSecond,
    };
}
