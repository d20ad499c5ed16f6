using System.Text.Json.Nodes;
using Apprentice.Data.ChatTemplates.Jinja;

namespace Apprentice.Data.ChatTemplates;

/// <summary>
/// Finds what the model has to learn to write: all that a template emits from an assistant message's content up to the
/// next turn. A <c>generation</c> mark says it outright, but few templates have one. Otherwise:
/// <list type="bullet">
/// <item>a turn begins where the opening for it ends, which is what the template adds as generation prompt; where it adds
/// none, or another one, at the first character that was copied from the message;</item>
/// <item>it ends with the last character that was written in the message's turn of the loop over messages; where nothing
/// was written there after the content, with what the template ends a conversation with that ends here;</item>
/// <item>what other messages' turns wrote in between (results of tools) is left out.</item>
/// </list>
/// Where these do not agree with each other, it refuses: loss on the wrong tokens is worse than an error.
/// </summary>
/// <param name="messages">The messages that were rendered.</param>
/// <param name="options">What they were rendered with.</param>
/// <param name="render">Renders some of the messages, with or without generation prompt.</param>
/// <param name="name">The template's name, for messages.</param>
internal sealed class Supervision(
    IReadOnlyList<JsonObject> messages, ChatTemplateOptions options, Func<IReadOnlyList<JsonObject>, bool, TracedString> render, string name)
{
    private TracedString _text = TracedString.Empty;
    private List<Piece> _pieces = [];

    /// <summary>What opens an assistant's turn, once it is known: the generation prompt.</summary>
    private string _opening = "";

    /// <summary>What closes a turn, once it is known and if the turn itself does not write it.</summary>
    private string _closing = "";

    /// <summary>Characters of one origin.</summary>
    private readonly record struct Piece(int Start, int End, Origin Origin)
    {
        /// <summary>Copied from that message (by its one-based number), and not while another one's turn was written.</summary>
        public bool IsContentOf(int message) => Origin.Content == message && IsFreeFor(message);

        public bool IsFreeFor(int message) => Origin.Emitter == 0 || Origin.Emitter == message;
    }

    public IReadOnlyList<AssistantSpan> Find(TracedString text)
    {
        (_text, _pieces) = (text, PiecesOf(text));
        if (_pieces.Exists(p => p.Origin.Generation != 0))
        {
            return FromMarks();
        }

        var spans = new List<AssistantSpan>();
        for (var i = 0; i < messages.Count; i++)
        {
            if (IsAssistant(i))
            {
                Add(spans, i, spans.Count == 0 ? 0 : spans[^1].End);
            }
        }

        return spans;
    }

    private static List<Piece> PiecesOf(TracedString text)
    {
        var pieces = new List<Piece>(text.Runs.Length);
        var start = 0;
        foreach (var run in text.Runs)
        {
            pieces.Add(new Piece(start, run.End, run.Origin));
            start = run.End;
        }

        return pieces;
    }

    private bool IsAssistant(int index) => messages[index]["role"] is JsonValue role && role.TryGetValue<string>(out var text) && text == "assistant";

    private List<AssistantSpan> FromMarks()
    {
        var marks = new List<(int Start, int End, int Message)>();
        var last = 0;
        foreach (var piece in _pieces)
        {
            var (emitter, content, generation) = (piece.Origin.Emitter, piece.Origin.Content, piece.Origin.Generation);
            if (generation != 0)
            {
                var message = emitter != 0 ? emitter : content;
                if (generation == last && marks[^1].End == piece.Start)
                {
                    marks[^1] = (marks[^1].Start, piece.End, marks[^1].Message == 0 ? message : marks[^1].Message);
                }
                else
                {
                    marks.Add((piece.Start, piece.End, message));
                }
            }

            last = generation;
        }

        return [.. marks.Select(m => m.Message > 0
            ? new AssistantSpan(m.Start, m.End, m.Message - 1)
            : throw CannotTell("a generation block writes text that belongs to no message"))];
    }

    /// <summary>Adds the spans of one assistant message; none where the template leaves the message out.</summary>
    private void Add(List<AssistantSpan> spans, int index, int from)
    {
        var message = index + 1;
        var content = _pieces.Where(p => p.Start >= from && p.IsContentOf(message)).ToList();
        var turn = _pieces.Where(p => p.Start >= from && p.Origin.Emitter == message).ToList();
        if (content.Count == 0)
        {
            RefuseIfSaidSomething(index, turn.Count > 0);
            if (turn.Count == 0)
            {
                return;
            }
        }

        var turnStart = turn.Count > 0 ? turn[0].Start : content[0].Start;
        var start = FindStart(index, turnStart, turn.Count > 0, content.Count > 0 ? content[0].Start : -1);
        var contentEnd = Math.Max(start, content.Count > 0 ? content[^1].End : 0);
        var turnEnd = turn.Count > 0 ? turn[^1].End : 0;
        var isWrittenByTurn = turnEnd > contentEnd && !string.IsNullOrWhiteSpace(_text.Text[contentEnd..turnEnd]);
        var end = isWrittenByTurn ? turnEnd : FindEnd(index, start, contentEnd, content.Count > 0, out var why) is >= 0 and var found ? Math.Max(found, turnEnd)
            : turnEnd > contentEnd ? turnEnd
            : throw CannotTell(why);
        end = CutAtNextTurn(contentEnd, end);
        foreach (var piece in _pieces.Where(p => p.End > start && p.Start < end))
        {
            var isOwn = piece.IsFreeFor(message) || (!isWrittenByTurn && piece.Start >= contentEnd);
            if (isOwn && piece.Origin.Content != 0 && piece.Origin.Content != message)
            {
                throw CannotTell($"what message {piece.Origin.Content} says is written within the turn of message {message}");
            }

            var (low, high) = (Math.Max(piece.Start, start), Math.Min(piece.End, end));
            if (!isOwn)
            {
                continue;
            }

            if (spans.Count > 0 && spans[^1].Message == index && spans[^1].End == low)
            {
                spans[^1] = spans[^1] with { End = high };
            }
            else
            {
                spans.Add(new AssistantSpan(low, high, index));
            }
        }
    }

    private int FindStart(int index, int turnStart, bool isTurnKnown, int contentStart)
    {
        // Nothing but blanks between the turn's start and its content: there is no opening.
        if (isTurnKnown && contentStart >= 0 && string.IsNullOrWhiteSpace(_text.Text[turnStart..contentStart]))
        {
            return contentStart;
        }

        var start = FindOpeningEnd(index, turnStart, isTurnKnown, contentStart);
        if (start < 0)
        {
            return contentStart >= 0 ? contentStart : throw CannotTell($"message {index + 1} has no content, and where its turn begins differs from turn to turn");
        }

        // A blank before the content goes into the content's first token anyway, and the opening does not hold it.
        return contentStart >= 0 && string.IsNullOrWhiteSpace(_text.Text[start..contentStart]) ? contentStart : start;
    }

    /// <summary>Where the opening of the turn ends, or -1.</summary>
    private int FindOpeningEnd(int index, int turnStart, bool isTurnKnown, int contentStart)
    {
        if (_opening.Length > 0 && isTurnKnown && StartsWith(turnStart, _opening) && Fits(turnStart + _opening.Length))
        {
            return turnStart + _opening.Length;
        }

        var before = Prefix(index);
        if (TryRender(before, true) is { } prompt && TryRender(before, false) is { } plain
            && (prompt.Text.Length > plain.Text.Length || (isTurnKnown && prompt.Text.Length > turnStart))
            && StartsWith(0, prompt.Text) && Fits(prompt.Text.Length))
        {
            _opening = isTurnKnown ? prompt.Text[turnStart..] : "";
            return prompt.Text.Length;
        }

        // No generation prompt, or one for another kind of turn: where would a plain answer begin, in this conversation or at its end?
        var probe = new JsonObject { ["role"] = "assistant", ["content"] = "x" };
        foreach (var conversation in new[] { [.. before, probe, .. messages.Skip(index + 1)], (IReadOnlyList<JsonObject>)[.. before, probe] })
        {
            if (TryRender(conversation, false) is { } answer
                && PiecesOf(answer).Find(p => p.IsContentOf(index + 1)) is { End: > 0 } first
                && string.CompareOrdinal(answer.Text, 0, _text.Text, 0, first.Start) == 0 && Fits(first.Start))
            {
                return first.Start;
            }
        }

        return -1;

        bool Fits(int end) => end >= turnStart && end <= _text.Text.Length && (contentStart < 0 || end <= contentStart);
    }

    /// <summary>
    /// The end of a turn that writes nothing after its content: what the template puts when the conversation ends there.
    /// -1 where that does not tell, and why.
    /// </summary>
    private int FindEnd(int index, int start, int contentEnd, bool hasContent, out string why)
    {
        var message = index + 1;
        why = "";
        if (index == messages.Count - 1)
        {
            return _text.Text.Length;
        }

        if (_closing.Length > 0 && StartsWith(contentEnd, _closing))
        {
            return contentEnd + _closing.Length;
        }

        if (TryRender(Prefix(index + 1), false) is not { } ended)
        {
            why = $"the template cannot end with message {message}, so where its turn ends stays open";
            return -1;
        }

        var endedAt = hasContent ? PiecesOf(ended).FindLast(p => p.IsContentOf(message)).End : Math.Min(start, ended.Text.Length);
        var closing = ended.Text[endedAt..];
        var common = closing.AsSpan().CommonPrefixLength(_text.Text.AsSpan(contentEnd));
        if (endedAt == 0 || !string.IsNullOrWhiteSpace(closing[common..]))
        {
            why = $"the turn of message {message} ends differently when the conversation ends with it";
            return -1;
        }

        _closing = closing[..common];
        return contentEnd + common;
    }

    /// <summary>
    /// Some templates open the next turn right behind the end of this one, as in <c>answer&lt;/s&gt;&lt;s&gt;[INST]</c>:
    /// a turn ends with the end token and the white space after it, and before a token that begins a text.
    /// </summary>
    private int CutAtNextTurn(int contentEnd, int end)
    {
        var rest = _text.Text.AsSpan(contentEnd, end - contentEnd);
        var eos = options.SpecialTokens.GetValueOrDefault("eos_token");
        var bos = options.SpecialTokens.GetValueOrDefault("bos_token");
        if (!string.IsNullOrEmpty(eos) && rest.IndexOf(eos, StringComparison.Ordinal) is >= 0 and var at)
        {
            var after = at + eos.Length;
            while (after < rest.Length && char.IsWhiteSpace(rest[after]))
            {
                after++;
            }

            return contentEnd + after;
        }

        return !string.IsNullOrEmpty(bos) && rest.IndexOf(bos, StringComparison.Ordinal) is >= 0 and var begin ? contentEnd + begin : end;
    }

    /// <summary>
    /// A message of which no character was copied must have had nothing to say, or have been left out altogether. Else the
    /// template wants its content in another form, and the model would learn to say nothing.
    /// </summary>
    private void RefuseIfSaidSomething(int index, bool isTurnWritten)
    {
        if (messages[index]["content"] is JsonValue value && value.TryGetValue<string>(out var said) && !string.IsNullOrWhiteSpace(said)
            && (isTurnWritten || _text.Text.Contains(said.Trim(), StringComparison.Ordinal)))
        {
            throw CannotTell($"the turn of message {index + 1} has nothing in it that is copied from the message");
        }
    }

    private bool StartsWith(int at, string part) => at + part.Length <= _text.Text.Length && string.CompareOrdinal(_text.Text, at, part, 0, part.Length) == 0;

    private IReadOnlyList<JsonObject> Prefix(int count) => [.. messages.Take(count)];

    private TracedString? TryRender(IReadOnlyList<JsonObject> some, bool addGenerationPrompt)
    {
        try
        {
            return render(some, addGenerationPrompt);
        }
        catch (InputException e) when (e.Code != "template_limit")
        {
            return null;
        }
        catch (InputException)
        {
            throw CannotTell("trying the template on parts of the conversation takes too much work");
        }
    }

    private InputException CannotTell(string why) => new(
        "cannot_tell_supervision",
        $"Cannot tell which part of the text the assistant wrote: {why}.",
        name,
        hint: "Put {% generation %} and {% endgeneration %} around it in the template.");
}
