namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Says a BPE tokenizer with byte fallback (Llama 2, Mistral, Gemma) in the metadata of a GGUF file as "llama": scores
/// instead of merges, spaces written ▁, and one before text or none. Added tokens that are runs of spaces (Gemma) are cut out of
/// the text as llama.cpp does it; only a ▁ that stands in the text itself is then read otherwise than before.
/// </summary>
internal static class GgufScoredWriter
{
    /// <param name="parts">The tokenizer; its model is no byte-level BPE.</param>
    /// <param name="common">Tokens, their types as far as added tokens say them, and special tokens.</param>
    /// <param name="notSaid">Makes the error for something that the metadata cannot say.</param>
    public static GgufVocabulary Describe(TokenizerParts parts, GgufVocabulary common, Func<string, InputException> notSaid)
    {
        if (parts.Model is not (ScoredPairEncoder or CharacterPairEncoder { Options: { ByteFallback: true, IgnoreMerges: false, Prefix: "", Suffix: "" } }))
        {
            throw notSaid($"it is no BPE with byte fallback ({parts.Model.GetType().Name.Replace("Encoder", "", StringComparison.Ordinal)})");
        }

        var prefix = AddsPrefix(parts) ?? throw notSaid("it normalizes or cuts text in a way that llama.cpp's kind 'llama' does not");
        if (prefix && parts.Model is ScoredPairEncoder { Pieces: var pieces } && pieces.FirstOrDefault(p => p.Kind == PieceKind.UserDefined) is { } joined)
        {
            throw notSaid($"llama.cpp puts a space before what follows the user-defined token '{joined.Text}', SentencePiece does not");
        }

        int[] types = [.. common.TokenTypes];
        for (var id = 0; id < types.Length; id++)
        {
            types[id] = id == parts.Unknown ? GgufVocabulary.UnknownType
                : types[id] == GgufVocabulary.Normal && ByteTokens.Value(common.Tokens[id]) >= 0 ? GgufVocabulary.Byte
                : parts.Model is ScoredPairEncoder scored && types[id] == GgufVocabulary.Normal && id < scored.Pieces.Count ? (int)scored.Pieces[id].Kind
                : types[id];
        }

        if (types.Count(t => t == GgufVocabulary.Byte) != 256)
        {
            throw notSaid("it has no token for each byte");
        }

        return common with
        {
            Model = GgufSentencePiece.Model,
            Pre = "default",
            // The text of these is looked for before spaces are rewritten.
            Tokens = [.. common.Tokens.Select((text, id) => types[id] == GgufVocabulary.UserDefined ? text.Replace(ScoredPiece.Space, " ", StringComparison.Ordinal) : text)],
            TokenTypes = types,
            Scores = Scores(parts.Model, common.Tokens, types, notSaid),
            AddSpacePrefix = prefix,
        };
    }

    private static float[] Scores(TokenModel model, string[] tokens, int[] types, Func<string, InputException> notSaid) =>
        model is ScoredPairEncoder scored
            ? [.. tokens.Select((_, id) => id < scored.Pieces.Count ? (float)scored.Pieces[id].Score : 0)]
            : ScoredMerges.Scores(((CharacterPairEncoder)model).Merges, [.. tokens.Select((text, id) => types[id] == GgufVocabulary.Normal ? text : null)], out var problem)
                ?? throw notSaid($"its merges cannot be said by scores: {problem}");

    /// <summary>Whether a space is put before text; null where something else is done to it.</summary>
    private static bool? AddsPrefix(TokenizerParts parts)
    {
        // What spaces would cut is rewritten before.
        var cuts = parts.PreTokenizers.Any(p => p is not PatternSplit { Pattern.Source: var source } || source != Pattern.Literal(" ").Source);
        return cuts ? null : parts.Normalizer switch
        {
            SentencePieceNormalizer own => own.PlainPrefix,
            NormalizerSequence { Steps: [PrependNormalizer { Prefix: ScoredPiece.Space }, ReplaceNormalizer replace] } when IsSpaces(replace) => true,
            ReplaceNormalizer replace when IsSpaces(replace) => false,
            _ => null,
        };
    }

    private static bool IsSpaces(ReplaceNormalizer replace) => replace.Pattern.Source == Pattern.Literal(" ").Source && replace.Content == ScoredPiece.Space;
}
