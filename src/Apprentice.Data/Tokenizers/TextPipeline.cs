namespace Apprentice.Data.Tokenizers;

/// <summary>From text to tokens: added tokens are found, the text between them is normalized, cut into words and each word encoded.</summary>
internal sealed class TextPipeline
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenFinder _rawTokens;
    private readonly AddedTokenFinder _normalizedTokens;

    public TextPipeline(TokenizerParts parts)
    {
        _parts = parts;
        _rawTokens = new AddedTokenFinder(parts.AddedTokens.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        _normalizedTokens = new AddedTokenFinder(parts.AddedTokens.Where(t => t.Normalized).Select(t => (TextOf(t), t)));
    }

    /// <summary>The text under which an added token is found and shown.</summary>
    public string TextOf(AddedToken token) => token.Normalized ? Normalize(new NormalizedText(token.Content).Whole).ToString() : token.Content;

    /// <param name="text">Any text; a surrogate without its partner counts as U+FFFD.</param>
    /// <param name="specialAsText">Whether special tokens within the text are plain text.</param>
    public TokenList Encode(string text, bool specialAsText)
    {
        var tokens = new TokenList(text.Length / 3);
        var words = PieceOutput.Through(_parts.PreTokenizers, new WordEncoding(_parts.Model, tokens));
        var cuts = new List<(Piece Piece, AddedToken? Token)>();
        var normalizedCuts = new List<(Piece Piece, AddedToken? Token)>();
        _rawTokens.Cut(new NormalizedText(Utf16.Repair(text)).Whole, specialAsText, cuts);
        foreach (var (piece, token) in cuts)
        {
            if (token is not null)
            {
                tokens.Add(token, piece);
                continue;
            }

            normalizedCuts.Clear();
            _normalizedTokens.Cut(Normalize(piece), specialAsText, normalizedCuts);
            foreach (var (part, normalizedToken) in normalizedCuts)
            {
                if (normalizedToken is not null)
                {
                    tokens.Add(normalizedToken, part);
                }
                else
                {
                    words.Add(part);
                }
            }
        }

        return tokens;
    }

    private Piece Normalize(Piece piece) => _parts.Normalizer?.Apply(piece) ?? piece;

    private sealed class WordEncoding(TokenModel model, TokenList tokens) : PieceOutput
    {
        protected override void Take(Piece piece) => tokens.Add(piece, model.Encode(piece.Span), model.ShownAsText);
    }
}
