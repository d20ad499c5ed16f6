using System.Text;
using System.Text.Json;
using Apprentice.Models.Generation;
using Apprentice.Server.Contracts;
using Microsoft.Extensions.AI;

namespace Apprentice.Server.Endpoints;

/// <summary>One answer to a conversation, from its pieces: its text, its calls of tools, how probable its tokens were.</summary>
internal sealed class ChatAnswer(ServedModel model, ChatRequest request)
{
    private readonly ToolCallReader? _calls = request.Tools is null ? null : new ToolCallReader();
    private readonly StringBuilder _text = new();
    private readonly List<ChatTokenLogprob> _logprobs = [];
    private readonly List<ToolCall> _called = [];
    private bool _begun;
    private string? _finish;

    public string Text => _text.ToString();

    /// <summary>Takes the next piece.</summary>
    /// <returns>What of it is text for certain, and what the answer's end brought with it.</returns>
    public (string Text, IReadOnlyList<ChatTokenLogprob> Logprobs) Add(GeneratedPiece piece)
    {
        var text = _calls?.Push(piece.Text) ?? piece.Text;
        ChatTokenLogprob[] logprobs = [.. piece.LogProbabilities.Select(Logprob)];
        _logprobs.AddRange(logprobs);
        if (piece.End is { } end)
        {
            if (_calls?.Finish() is var (rest, called))
            {
                text += rest;
                _called.AddRange(called.Select(c => new ToolCall(c.CallId, new CalledFunction(c.Name, JsonSerializer.Serialize(c.Arguments, AIJsonUtilities.DefaultOptions)))));
            }

            _finish = end.Reason == FinishReason.Length ? "length" : _called.Count > 0 ? "tool_calls" : "stop";
        }

        _text.Append(text);
        return (text, logprobs);
    }

    /// <summary>The whole answer.</summary>
    public ChatChoice Choice(int index) => new(
        index,
        new AssistantMessage(_called.Count > 0 && _text.Length == 0 ? null : Text, _called.Count > 0 ? _called : null),
        request.Sampling.Sampling.LogProbabilities is null ? null : new ChatLogprobs(_logprobs),
        _finish!);

    /// <summary>What a stream says of the next piece: the role first, then text as it comes, calls and the reason at the end.</summary>
    public IEnumerable<ChatChunkChoice> Chunks(int index, GeneratedPiece piece)
    {
        if (!_begun)
        {
            _begun = true;
            yield return new ChatChunkChoice(index, new ChatDelta(Role: "assistant", Content: ""));
        }

        var (text, logprobs) = Add(piece);
        if (text.Length > 0 || logprobs.Count > 0)
        {
            yield return new ChatChunkChoice(index, new ChatDelta(Content: text), logprobs.Count > 0 ? new ChatLogprobs(logprobs) : null);
        }

        if (_finish is not null)
        {
            if (_called.Count > 0)
            {
                yield return new ChatChunkChoice(index, new ChatDelta(ToolCalls: [.. _called.Select((c, i) => c with { Index = i })]));
            }

            yield return new ChatChunkChoice(index, new ChatDelta(), FinishReason: _finish);
        }
    }

    private ChatTokenLogprob Logprob(TokenLogProbability token)
    {
        var (text, bytes) = Token(token.Token.Id);
        return new ChatTokenLogprob(text, token.Token.LogProbability, bytes, [.. token.Top.Select(Top)]);
    }

    private ChatTopLogprob Top(ScoredToken token)
    {
        var (text, bytes) = Token(token.Id);
        return new ChatTopLogprob(text, token.LogProbability, bytes);
    }

    private (string Text, int[] Bytes) Token(int id)
    {
        var bytes = model.Text.Tokenizer.TokenBytes(id);
        return (System.Text.Encoding.UTF8.GetString(bytes), [.. bytes.Select(b => (int)b)]);
    }
}
