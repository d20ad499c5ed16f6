using System.CommandLine;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Models.Generation;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>generate</c> is asked to do.</summary>
/// <param name="Model">A model reference.</param>
/// <param name="Prompts">At least one.</param>
/// <param name="System">A system message before each prompt, or null.</param>
/// <param name="Raw">The prompts as they are, without the chat template.</param>
/// <param name="Sampling">Validated.</param>
/// <param name="Threads">Null: one per core.</param>
internal sealed record GenerateRequest(
    string Model, IReadOnlyList<string> Prompts, string? System, bool Raw, SamplingOptions Sampling, int? Threads)
{
    /// <summary>An adapter for the base model, or null.</summary>
    public string? Adapter { get; init; }
}

/// <summary>
/// <c>generate</c>: one answer, streamed, or an answer to each prompt of a file. The answer is all that goes to standard
/// output, so that it can be piped on; the figures go to standard error.
/// </summary>
internal static class GenerateCommand
{
    /// <summary>
    /// Answers the prompts in order. Where <paramref name="show"/> is given there is one prompt, and its answer's text
    /// is handed over piece by piece as it comes.
    /// </summary>
    public delegate Task<IReadOnlyList<GenerationResult>> Work(GenerateRequest request, Action<string>? show, CancellationToken cancel);

    public static Verb Create(Terminal terminal, Work generate)
    {
        var model = CommonOptions.Model();
        var adapter = CommonOptions.Adapter();
        var prompt = new Option<string?>("--prompt") { Description = "The prompt.", HelpName = "TEXT" };
        var prompts = CommonOptions.File("--prompts", "A prompt on each line, or JSON lines with a \"prompt\" field (.jsonl).");
        var outFile = CommonOptions.File("--out", "Write a JSON line per answer to this file.");
        var system = CommonOptions.System();
        var raw = CommonOptions.Raw();
        var threads = CommonOptions.Threads();
        var sampling = new SamplingOptionSet();
        var verb = new Verb(
            "generate",
            "Answer a prompt, or every prompt of a file.",
            "apprentice generate --model runs/tickets --prompt \"My card has not arrived\"")
        {
            model, adapter, prompt, prompts, outFile, system, raw, threads,
        };
        sampling.AddTo(verb);
        verb.SetAction(async (parsed, cancel) =>
        {
            Commands.Work.RequireWritable(parsed.GetValue(outFile));
            var texts = Prompts(parsed.GetValue(prompt), parsed.GetValue(prompts));
            var request = new GenerateRequest(
                parsed.GetRequiredValue(model), texts, parsed.GetValue(system), parsed.GetValue(raw), sampling.Read(parsed), parsed.GetValue(threads))
            {
                Adapter = parsed.GetValue(adapter),
            };
            var stream = texts.Count == 1 && !terminal.Json;
            var answers = await generate(request, stream ? piece => Show(terminal, piece) : null, cancel);
            if (parsed.GetValue(outFile) is { } file)
            {
                AtomicFile.WriteText(file, string.Concat(answers.Select((a, i) => $"{Terminal.ToJson(Row(texts[i], a))}\n")));
            }

            Print(terminal, texts, answers, single: parsed.GetValue(prompts) is null, stream);
            return ExitCode.Done;
        });
        return verb;
    }

    private static void Show(Terminal terminal, string piece)
    {
        terminal.Output.Write(piece);
        terminal.Output.Flush();
    }

    private static void Print(Terminal terminal, IReadOnlyList<string> prompts, IReadOnlyList<GenerationResult> answers, bool single, bool stream)
    {
        if (terminal.Json)
        {
            terminal.WriteJson<object>(single ? answers[0] : new { Answers = answers.Select((a, i) => Row(prompts[i], a)) });
            return;
        }

        if (stream)
        {
            terminal.Output.WriteLine();
        }
        else
        {
            for (var i = 0; i < answers.Count; i++)
            {
                terminal.Output.WriteLine($"> {prompts[i]}\n{answers[i].Text}\n");
            }
        }

        foreach (var a in single ? answers : [])
        {
            terminal.Error.WriteLine(Format.Text(
                $"{a.PromptTokens} prompt tokens ({Format.Speed(a.PromptTokensPerSecond)}/s), {a.CompletionTokens} generated ({Format.Speed(a.TokensPerSecond)}/s), finished by {a.FinishReason}"));
        }
    }

    private static object Row(string prompt, GenerationResult answer) => new
    {
        Prompt = prompt,
        answer.Text,
        answer.PromptTokens,
        answer.CompletionTokens,
        answer.FinishReason,
        answer.PromptTokensPerSecond,
        answer.TokensPerSecond,
    };

    private static List<string> Prompts(string? prompt, string? file)
    {
        if (prompt is null == file is null)
        {
            throw new InputException("bad_usage", "give either --prompt TEXT or --prompts FILE");
        }

        if (prompt is not null)
        {
            return [prompt];
        }

        if (!File.Exists(file))
        {
            throw MissingFile.Error(file!);
        }

        var isJson = Path.GetExtension(file).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);
        var prompts = File.ReadLines(file)
            .Select((text, i) => (text, line: i + 1))
            .Where(l => !string.IsNullOrWhiteSpace(l.text))
            .Select(l => isJson ? PromptField(file, l.line, l.text) : l.text)
            .ToList();
        return prompts.Count > 0 ? prompts : throw new InputException("no_prompts", "the file holds no prompt", file);
    }

    private static string PromptField(string file, int line, string text)
    {
        try
        {
            using var row = JsonDocument.Parse(text);
            if (row.RootElement.ValueKind == JsonValueKind.Object
                && row.RootElement.TryGetProperty("prompt", out var prompt) && prompt.ValueKind == JsonValueKind.String)
            {
                return prompt.GetString()!;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException("bad_json", $"the line is not JSON: {e.Message}", file, line);
        }

        throw new InputException("missing_field", "the line has no \"prompt\" field with text", file, line);
    }
}
