namespace Apprentice.Data.Tokenizers;

/// <summary>What a piece of a SentencePiece vocabulary is for. The numbers are those of <c>.model</c> files and of GGUF's <c>token_type</c>.</summary>
internal enum PieceKind { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 }

/// <summary>A token of a SentencePiece vocabulary; its id is its place in the list.</summary>
internal sealed record ScoredPiece(string Text, double Score, PieceKind Kind = PieceKind.Normal)
{
    /// <summary>How SentencePiece writes a space.</summary>
    public const string Space = "▁";

    /// <summary>Whether it can be found in text.</summary>
    public bool IsText => Kind is PieceKind.Normal or PieceKind.UserDefined or PieceKind.Unused;

    /// <summary>The pieces found in text with their ids.</summary>
    public static Dictionary<string, int> TextIds(IReadOnlyList<ScoredPiece> pieces)
    {
        var ids = new Dictionary<string, int>();
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].IsText)
            {
                ids[pieces[id].Text] = id;
            }
        }

        return ids;
    }

    /// <summary>The ids of the tokens of bytes, by byte; null where the vocabulary does not have them all.</summary>
    public static int[]? ByteIds(IReadOnlyList<ScoredPiece> pieces)
    {
        var ids = Enumerable.Repeat(-1, 256).ToArray();
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].Kind == PieceKind.Byte && ByteTokens.Value(pieces[id].Text) is >= 0 and var value)
            {
                ids[value] = id;
            }
        }

        return Array.TrueForAll(ids, i => i >= 0) ? ids : null;
    }

    /// <summary>A trie of the pieces that are cut out of text before anything else.</summary>
    public static TokenTrie UserDefined(IReadOnlyList<ScoredPiece> pieces)
    {
        var trie = new TokenTrie();
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].Kind == PieceKind.UserDefined)
            {
                trie.Add(pieces[id].Text, id);
            }
        }

        return trie;
    }
}
