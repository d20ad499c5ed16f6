namespace Apprentice.Data.Tokenizers;

/// <summary>
/// The tokenizer that GGUF calls "llama" (Llama 2, Mistral, Gemma): SentencePiece's BPE with scores and without merges,
/// as llama.cpp does it. Spaces are written ▁; text that follows the beginning or a special token gets one before it.
/// </summary>
internal static class GgufSentencePiece
{
    public const string Model = "llama";

    public static Tokenizer Make(GgufVocabulary vocabulary, string? file)
    {
        GgufTokenizer.RequireLength(vocabulary, "token_type", vocabulary.TokenTypes.Length, file);
        GgufTokenizer.RequireLength(vocabulary, "scores", vocabulary.Scores.Length, file);
        var pieces = Pieces(vocabulary, file);
        var unknown = vocabulary.Unknown is { } id && id < pieces.Count ? id : pieces.FindIndex(p => p.Kind == PieceKind.Unknown);
        if (unknown < 0)
        {
            throw new InputException("bad_tokenizer", "tokenizer.ggml.unknown_token_id: expected the id of the unknown token, found none.", file);
        }

        var prefix = vocabulary.AddSpacePrefix ?? true;
        return new Tokenizer(new TokenizerParts
        {
            Vocabulary = GgufTokenizer.Ids(vocabulary),
            Model = new ScoredPairEncoder(pieces, unknown),
            Normalizer = Normalizer(prefix),
            Decoder = Decoder(prefix),
            AddedTokens = [.. GgufTokenizer.AddedTokens(vocabulary)],
            PostProcessors = [GgufTokenizer.Surround(vocabulary, addBos: true)],
            Bos = vocabulary.Bos,
            Eos = vocabulary.Eos,
            Unknown = unknown,
            Padding = vocabulary.Padding,
        });
    }

    /// <summary>The tokens by id. User-defined ones are cut out of the text before, so the model does not join to them.</summary>
    public static List<ScoredPiece> Pieces(GgufVocabulary vocabulary, string? file)
    {
        var pieces = new List<ScoredPiece>(vocabulary.Tokens.Length);
        for (var i = 0; i < vocabulary.Tokens.Length; i++)
        {
            var type = vocabulary.TokenTypes.Length > 0 ? vocabulary.TokenTypes[i] : GgufVocabulary.Normal;
            var score = vocabulary.Scores.Length > 0 ? vocabulary.Scores[i] : 0;
            if (!float.IsFinite(score))
            {
                throw new InputException("bad_tokenizer", $"tokenizer.ggml.scores[{i}]: expected a finite number, found {score}.", file);
            }

            var kind = type is >= GgufVocabulary.Normal and <= GgufVocabulary.Byte ? (PieceKind)type : PieceKind.Normal;
            pieces.Add(new ScoredPiece(vocabulary.Tokens[i], score, kind == PieceKind.UserDefined ? PieceKind.Control : kind));
        }

        return pieces;
    }

    private static Normalizer Normalizer(bool prefix)
    {
        var spaces = new ReplaceNormalizer(Pattern.Literal(" "), ScoredPiece.Space);
        return prefix ? new NormalizerSequence([new PrependNormalizer(ScoredPiece.Space), spaces]) : spaces;
    }

    private static List<Func<DecodingStep>> Decoder(bool prefix)
    {
        List<Func<DecodingStep>> steps = [() => new MapDecoding((token, _) => token.Replace(ScoredPiece.Space, " ", StringComparison.Ordinal)), () => new ByteFallbackDecoding()];
        if (prefix)
        {
            steps.Add(() => new StripStartDecoding(" ", 1));
        }

        return steps;
    }
}
