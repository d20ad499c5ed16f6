using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apprentice.Cli.Commands;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Models.Generation;
using Apprentice.Training.Checkpoints;

namespace Apprentice.Cli.Chat;

/// <summary>The words to the program within a conversation, which begin with a slash.</summary>
internal sealed partial class ChatWords(ChatSession session, ChatView view)
{
    private static readonly (string Word, string Meaning)[] All =
    [
        ("/help", "these words"),
        ("/reset", "forget what was said and begin anew; the system message stays"),
        ("/system TEXT", "set the system message (/system: show it, /system none: have none)"),
        ("/save FILE", "write the conversation as a line of JSON, as training reads it"),
        ("/exit", "end the conversation, as Ctrl-D does"),
    ];

    private string? _saved;

    /// <summary>Whether the line was such a word; then it has been done.</summary>
    /// <param name="end">Whether it ends the conversation.</param>
    /// <exception cref="InputException">There is no such word, or it cannot be done.</exception>
    public bool Obey(string line, out bool end)
    {
        end = false;
        if (Word().Match(line) is not { Success: true } match)
        {
            return false;
        }

        var (word, rest) = (match.Groups["word"].Value, match.Groups["rest"].Value.Trim());
        switch (word)
        {
            case "/help":
                Help();
                break;
            case "/reset":
                session.Reset();
                view.Note("forgotten; this is a new conversation");
                break;
            case "/system":
                System(rest);
                break;
            case "/save":
                Save(rest);
                break;
            case "/exit" or "/quit" or "/bye":
                end = true;
                break;
            default:
                throw new InputException("bad_usage", $"there is no {word}", hint: Suggestion.Nearest(word, All.Select(w => w.Word.Split(' ')[0])) is { } near ? MissingFile.DidYouMean(near) : "/help shows what there is; a message that begins with a slash takes a space before it");
        }

        return true;
    }

    private void Help()
    {
        foreach (var (word, meaning) in All)
        {
            view.Note($"{word,-13} {meaning}");
        }

        view.Note("Ctrl-C        stop the answer; at the prompt, twice: end");
    }

    private void System(string text)
    {
        if (text.Length == 0)
        {
            view.Note(session.System is { } now ? $"system: {now}" : "there is no system message");
            return;
        }

        session.System = text == "none" ? null : text;
        view.Note(session.System is null ? "no system message from now on" : "set; it holds from the beginning of the conversation");
    }

    private void Save(string file)
    {
        if (file.Length == 0)
        {
            throw new InputException("bad_usage", "/save needs a file", hint: "such as /save conversation.jsonl");
        }

        if (!session.Messages.Any(m => (string?)m["role"] == "assistant"))
        {
            throw new InputException("no_messages", "there is no answer to be saved yet");
        }

        if (file != _saved && File.Exists(file))
        {
            throw new InputException("out_exists", "this file is there already, and is not overwritten", file, hint: "give another name");
        }

        Work.RequireWritable(file);
        AtomicFile.WriteText(file, $"{Terminal.ToJson(new JsonObject { ["messages"] = new JsonArray([.. session.Messages.Select(m => m.DeepClone())]) })}\n");
        _saved = file;
        view.Note($"saved to {file}");
    }

    [GeneratedRegex(@"^(?<word>/[a-z]+)(?:\s+(?<rest>.*))?$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Word();
}
