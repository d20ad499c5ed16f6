using Apprentice.Data.Tokenizers;

namespace Apprentice.Models.Generation;

/// <summary>The text of one answer as its tokens come: decoded as far as it is certain, ended at stop strings.</summary>
internal sealed class AnswerText(Tokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly StreamingDecoder _decoder = new(tokenizer, skipSpecialTokens: true);
    private readonly StopMatcher _stops = new(stops);

    /// <summary>The stop string that ended it, or null.</summary>
    public string? StopString => _stops.Matched;

    /// <summary>Takes the next token and returns the text that may be shown now.</summary>
    public string Push(int token) => _stops.Push(_decoder.Push(token));

    /// <summary>What was held back when the tokens ended.</summary>
    public string Finish() => StopString is null ? _stops.Push(_decoder.Flush()) + _stops.Finish() : "";
}
