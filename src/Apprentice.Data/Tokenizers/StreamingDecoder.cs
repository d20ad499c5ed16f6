namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Turns tokens into text as they come. Text appears as soon as no later token can change it: a character whose bytes are
/// spread over several tokens with its last byte, bytes of byte fallback when their run has ended. What all calls returned,
/// put together, is <see cref="Tokenizer.Decode"/> of the same ids. For one thread.
/// </summary>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = false)
{
    private readonly DecodingRun _run = tokenizer.StartDecoding();

    /// <summary>Adds a token and returns the text that is complete with it, maybe none.</summary>
    public string Push(int id) => tokenizer.Decodable(id, skipSpecialTokens) is { } token ? _run.Push(token) : "";

    /// <summary>Ends the text: bytes that never became a character are returned as U+FFFD.</summary>
    public string Flush() => _run.Flush();
}
