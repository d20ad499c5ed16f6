using System.CommandLine;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Server;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary><c>serve</c>: models behind the OpenAI API, until Ctrl-C. Results say where it listens; the log goes to standard error.</summary>
internal static class ServeCommand
{
    private static readonly ServerOptions Defaults = new() { Models = [] };

    public static Verb Create(Terminal terminal)
    {
        var models = new Argument<string[]>("MODEL")
        {
            Description = "What to serve: a .gguf file, a folder, a run, a registered name or base; with a name of its own as NAME=MODEL. Default: base.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var urls = new Option<string>("--urls") { Description = $"Where to listen, several separated by ';' (default {string.Join(';', Defaults.Urls)}). Beyond this machine every request needs a key.", HelpName = "URLS" };
        var requireKey = new Option<bool>("--require-key") { Description = "Ask for a key from this machine, too, as behind a proxy." };
        var parallel = CommonOptions.Whole("--parallel", $"Answers generated at once, for each model (default {Defaults.Batch.Parallel}).", atLeast: 1);
        var cacheTokens = CommonOptions.Whole("--cache-tokens", "Tokens of prompts and answers kept in memory, for each model (default: what --parallel full contexts take, at most a quarter of the memory).", atLeast: 1);
        var threads = CommonOptions.Threads();
        var maxRequests = CommonOptions.Whole("--max-requests", $"Requests under way at once; further ones get 429 (default {Defaults.MaxRequests}).", atLeast: 1);
        var maxPrompt = CommonOptions.Whole("--max-prompt-tokens", "Longest prompt in tokens (default: the model's context).", atLeast: 1);
        var maxBody = CommonOptions.Whole("--max-body-bytes", $"Largest request in bytes (default {Defaults.MaxBodyBytes}).", atLeast: 1);
        var timeout = CommonOptions.Whole("--request-timeout", $"Longest time for a request in seconds (default {Defaults.RequestTimeout.TotalSeconds:0}).", atLeast: 1);
        var logPrompts = new Option<bool>("--log-prompts") { Description = "Log prompts and answers, which are left out otherwise." };
        var verb = new Verb(
            "serve",
            "Serve models behind the OpenAI API: chat completions, completions and models, for any client of it.",
            "apprentice serve runs/tickets\napprentice serve tickets=runs/tickets base --urls http://127.0.0.1:9000")
        {
            models, urls, requireKey, parallel, cacheTokens, threads, maxRequests, maxPrompt, maxBody, timeout, logPrompts,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var options = new ServerOptions
            {
                Models = [.. (parsed.GetValue(models) is { Length: > 0 } given ? given : ["base"]).Select(Named)],
                Urls = parsed.GetValue(urls)?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } some ? some : Defaults.Urls,
                RequireKey = parsed.GetValue(requireKey),
                Batch = new BatchOptions { Parallel = parsed.GetValue(parallel) ?? Defaults.Batch.Parallel, CacheTokens = parsed.GetValue(cacheTokens), Threads = parsed.GetValue(threads) ?? 0 },
                MaxRequests = parsed.GetValue(maxRequests) ?? Defaults.MaxRequests,
                MaxPromptTokens = parsed.GetValue(maxPrompt),
                MaxBodyBytes = parsed.GetValue(maxBody) ?? Defaults.MaxBodyBytes,
                RequestTimeout = parsed.GetValue(timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : Defaults.RequestTimeout,
                LogPrompts = parsed.GetValue(logPrompts),
            };
            await using var server = await ApprenticeServer.StartAsync(options, logging => Log(logging, terminal.Json), cancel);
            Show(terminal, server, options);
            await Task.Delay(Timeout.Infinite, cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await server.StopAsync();
            return ExitCode.Done; // to be stopped is how a server ends
        });
        return verb;
    }

    /// <summary>NAME=MODEL, or a model that is called as its file, its folder or its registered name.</summary>
    private static ModelToServe Named(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0 && !Path.Exists(text))
        {
            return new ModelToServe(text[..equals], text[(equals + 1)..]);
        }

        // What is no path is a registered name, or the built-in model's.
        return new ModelToServe(Path.Exists(text) ? ModelName.OfPath(Path.GetFullPath(text)) : text, text);
    }

    private static void Log(ILoggingBuilder logging, bool json)
    {
        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (json)
        {
            logging.AddJsonConsole(line => (line.TimestampFormat, line.UseUtcTimestamp) = ("yyyy-MM-ddTHH:mm:ss.fffZ", true));
        }
        else
        {
            logging.AddSimpleConsole(line => (line.SingleLine, line.TimestampFormat) = (true, "HH:mm:ss "));
        }
    }

    private static void Show(Terminal terminal, ApprenticeServer server, ServerOptions options)
    {
        if (terminal.Json)
        {
            terminal.WriteJson(new { server.Urls, Models = options.Models.Select(m => new { Id = m.Name, Model = m.Reference }), server.RequiresKey });
            terminal.Output.Flush();
            return;
        }

        var grid = new Grid().AddColumns(2);
        void Row(string name, string value) => grid.AddRow($"[grey]{name}[/]", Markup.Escape(value));

        foreach (var (url, i) in server.Urls.Select((u, i) => (u, i)))
        {
            Row(i == 0 ? "listening" : "", $"{url}v1");
        }

        foreach (var (model, i) in options.Models.Select((m, i) => (m, i)))
        {
            Row(i == 0 ? "models" : "", model.Name == model.Reference ? model.Name : $"{model.Name} ({model.Reference})");
        }

        Row("key", server.RequiresKey ? "every request needs one: apprentice keys add NAME" : "none is needed on this machine");
        Row("try", $$"""curl {{server.Urls[0]}}v1/chat/completions -H "Content-Type: application/json"{{(server.RequiresKey ? " -H \"Authorization: Bearer $OPENAI_API_KEY\"" : "")}} -d '{"model": "{{options.Models[0].Name}}", "messages": [{"role": "user", "content": "Hello"}]}'""");
        Row("", "Ctrl-C stops");
        terminal.Results.Write(grid);
        terminal.Results.WriteLine();
    }
}
