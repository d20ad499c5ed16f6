using System.Text;
using Apprentice.Models.Generation;
using Apprentice.Server.Contracts;

namespace Apprentice.Server.Endpoints;

/// <summary>One answer to a text, from its pieces.</summary>
internal sealed class TextAnswer
{
    private readonly ServedModel _model;
    private readonly int _index;
    private readonly StringBuilder _text = new();
    private readonly List<TextLogprobs> _logprobs = [];
    private readonly bool _scored;
    private string _unsaid;
    private int _offset;
    private string? _finish;

    public TextAnswer(ServedModel model, CompletionRequest request, int index)
    {
        (_model, _index) = (model, index);
        _scored = request.Sampling.Sampling.LogProbabilities is not null;
        var prompt = request.Prompts[index / request.Sampling.Choices];
        _unsaid = !request.Echo ? "" : prompt.Text ?? model.Text.Tokenizer.Decode(prompt.Ids!, skipSpecialTokens: true);
        _offset = _unsaid.Length;
    }

    public string Text => _text.ToString();

    /// <summary>Where nothing is to be generated: the prompt, if it is asked for.</summary>
    public TextChoice Empty()
    {
        _finish = "length";
        return Piece("", _scored ? Logprobs([]) : null);
    }

    /// <summary>Takes the next piece; returns what a stream says of it, or null for nothing.</summary>
    public TextChoice? Add(GeneratedPiece piece)
    {
        var logprobs = piece.LogProbabilities.Count > 0 ? Logprobs(piece.LogProbabilities) : null;
        if (piece.End is { } end)
        {
            _finish = end.Reason == FinishReason.Length ? "length" : "stop";
        }

        return piece.Text.Length > 0 || logprobs is not null || _finish is not null || _unsaid.Length > 0 ? Piece(piece.Text, logprobs) : null;
    }

    public TextChoice Whole() => new(
        _index,
        Text,
        !_scored ? null : new TextLogprobs(
            [.. _logprobs.SelectMany(l => l.Tokens)], [.. _logprobs.SelectMany(l => l.TokenLogprobs)], [.. _logprobs.SelectMany(l => l.TopLogprobs)], [.. _logprobs.SelectMany(l => l.TextOffset)]),
        _finish);

    private TextChoice Piece(string text, TextLogprobs? logprobs)
    {
        text = _unsaid + text;
        _unsaid = "";
        _text.Append(text);
        if (logprobs is not null)
        {
            _logprobs.Add(logprobs);
        }

        return new TextChoice(_index, text, logprobs, _finish);
    }

    private TextLogprobs Logprobs(IReadOnlyList<TokenLogProbability> tokens)
    {
        var texts = tokens.Select(t => TextOf(t.Token)).ToArray();
        var offsets = texts.Select(text =>
        {
            var at = _offset;
            _offset += text.Length;
            return at;
        }).ToArray();
        return new TextLogprobs(texts, [.. tokens.Select(t => t.Token.LogProbability)], [.. tokens.Select(Top)], offsets);
    }

    // Two tokens may have the same text; the more probable one comes first and stays.
    private Dictionary<string, double> Top(TokenLogProbability token)
    {
        var top = new Dictionary<string, double>();
        foreach (var scored in token.Top.Append(token.Token))
        {
            top.TryAdd(TextOf(scored), scored.LogProbability);
        }

        return top;
    }

    private string TextOf(ScoredToken token) => System.Text.Encoding.UTF8.GetString(_model.Text.Tokenizer.TokenBytes(token.Id));
}
