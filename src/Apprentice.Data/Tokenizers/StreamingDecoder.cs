using System.Text;

namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Turns tokens into text as they come. A character whose bytes are spread over several tokens appears when its last
/// byte has come; what all calls returned, put together, is <see cref="Tokenizer.Decode"/> of the same ids. For one thread.
/// </summary>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = false)
{
    private readonly Decoder _decoder = System.Text.Encoding.UTF8.GetDecoder();

    /// <summary>Adds a token and returns the text that is complete with it, maybe none.</summary>
    public string Push(int id) => Decode(tokenizer.TokenBytes(id, skipSpecialTokens), flush: false);

    /// <summary>Ends the text: bytes that never became a character are returned as U+FFFD.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var chars = new char[_decoder.GetCharCount(bytes, flush)];
        return new string(chars, 0, _decoder.GetChars(bytes, chars, flush));
    }
}
