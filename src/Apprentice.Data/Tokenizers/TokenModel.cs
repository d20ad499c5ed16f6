namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Turns a piece of normalized text into tokens: the last step of encoding. Remembers short pieces, since words come
/// again and again. Usable from many threads.
/// </summary>
internal abstract class TokenModel
{
    private readonly WordCache _cache = new();

    /// <summary>The token that stands for whatever the vocabulary lacks and is shown as the text that it stands for; null where it is shown as itself.</summary>
    public virtual int? ShownAsText => null;

    /// <param name="text">Without lone surrogates.</param>
    public Word Encode(ReadOnlySpan<char> text)
    {
        if (_cache.Find(text) is { } known)
        {
            return known;
        }

        var word = EncodeWord(text);
        _cache.Add(text, word);
        return word;
    }

    protected abstract Word EncodeWord(ReadOnlySpan<char> text);
}
