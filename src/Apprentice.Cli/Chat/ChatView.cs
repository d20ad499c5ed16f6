using Apprentice.Data;
using Apprentice.Models.Generation;
using Spectre.Console;

namespace Apprentice.Cli.Chat;

/// <summary>
/// How a conversation looks: on a terminal with what is worth knowing beside the answers; else the answers alone on standard output,
/// the rest on standard error.
/// </summary>
internal sealed class ChatView(Terminal terminal)
{
    /// <summary>Whether somebody sits before it.</summary>
    public bool IsLive { get; } = !terminal.Json && !Console.IsInputRedirected && terminal.Results.Profile.Out.IsTerminal && terminal.Results.Profile.Capabilities.Ansi;

    public void Piece(string text)
    {
        if (!terminal.Json)
        {
            // A model may have learned to write what moves the cursor.
            terminal.Output.Write(IsLive ? string.Concat(text.Where(c => c is '\n' or '\t' || !char.IsControl(c))) : text);
            terminal.Output.Flush();
        }
    }

    public void Done(ChatAnswer answer, int maxTokens, int context)
    {
        if (!terminal.Json && (answer.Text.Length > 0 || !IsLive))
        {
            terminal.Output.WriteLine();
        }

        switch (answer)
        {
            case { Text.Length: 0, Generation: null }:
                Note("stopped before it began; the message is taken back");
                break;
            case { Generation: null }:
                Note("stopped");
                break;
            case { Generation: { FinishReason: "length" } cut } when answer.PromptTokens + cut.CompletionTokens >= context:
                Note(Format.Text($"cut: the conversation fills the model's context of {Format.Count(context)} tokens; /reset begins a new one"));
                break;
            case { Generation.FinishReason: "length" }:
                Note(Format.Text($"cut after {Format.Count(maxTokens)} tokens; --max-tokens allows longer answers"));
                break;
            case { Generation: { } whole } when IsLive:
                Note(Format.Text($"{whole.CompletionTokens} tokens, {Format.Speed(whole.TokensPerSecond)}/s · {Format.Count(answer.PromptTokens + whole.CompletionTokens)} of {Format.Count(context)} in context"));
                break;
            default:
                break;
        }

        if (IsLive)
        {
            terminal.Output.WriteLine();
        }
    }

    /// <summary>A word beside the conversation.</summary>
    public void Note(string text)
    {
        if (IsLive)
        {
            terminal.Results.MarkupLine($"[grey]{Markup.Escape(text)}[/]");
        }
        else
        {
            terminal.Error.WriteLine(text);
        }
    }

    /// <summary>What went wrong with one message, after which the conversation goes on.</summary>
    public void Fail(InputException failure) => terminal.Results.MarkupLine(
        $"[red]error:[/] {Markup.Escape(ErrorReport.Of(failure).Said())}{(failure.Hint is { } hint ? $"\n[grey]hint: {Markup.Escape(hint)}[/]" : "")}\n");
}
