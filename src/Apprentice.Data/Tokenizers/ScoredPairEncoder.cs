namespace Apprentice.Data.Tokenizers;

/// <summary>
/// BPE as SentencePiece and llama.cpp (<c>tokenizer.ggml.model</c> "llama") do it: there is no list of merges; any two
/// neighbours whose text is in the vocabulary can be joined, the higher score first. A character without a token
/// becomes the tokens of its bytes, or the unknown token.
/// </summary>
internal sealed class ScoredPairEncoder : PairEncoder
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly int[] _ranks;
    private readonly int[]? _byteIds;
    private readonly int _unknown;
    private readonly TokenTrie _userDefined;

    /// <param name="pieces">By id.</param>
    /// <param name="unknown">The id of the unknown token.</param>
    public ScoredPairEncoder(IReadOnlyList<ScoredPiece> pieces, int unknown)
    {
        Pieces = pieces;
        _unknown = unknown;
        _ids = ScoredPiece.TextIds(pieces).GetAlternateLookup<ReadOnlySpan<char>>();
        _byteIds = ScoredPiece.ByteIds(pieces);
        _userDefined = ScoredPiece.UserDefined(pieces);
        _ranks = Ranks(pieces);
    }

    public IReadOnlyList<ScoredPiece> Pieces { get; }

    public override int? ShownAsText => _unknown;

    /// <summary>The place of each piece's score among all, 0 for the highest; equal scores have the same place.</summary>
    private static int[] Ranks(IReadOnlyList<ScoredPiece> pieces)
    {
        var ranks = new int[pieces.Count];
        var rank = 0;
        var order = Enumerable.Range(0, pieces.Count).OrderByDescending(id => pieces[id].Score).ToArray();
        for (var i = 0; i < order.Length; i++)
        {
            rank += i > 0 && !pieces[order[i]].Score.Equals(pieces[order[i - 1]].Score) ? 1 : 0;
            ranks[order[i]] = rank;
        }

        return ranks;
    }

    protected override Word EncodeWord(ReadOnlySpan<char> text)
    {
        var symbols = new Symbols(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var id = _userDefined.Longest(text[at..], out var length);
            if (id < 0)
            {
                length = Utf16.Length(text, at);
                id = IdOf(text.Slice(at, length));
            }

            symbols.Add(id, length);
            at += length;
        }

        Merge(symbols, text);
        return ToWord(symbols, text);
    }

    protected override bool Find(Symbols symbols, ReadOnlySpan<char> text, int left, int right, out int rank, out int id)
    {
        (rank, id) = (0, -1);
        if (IsFrozen(symbols.Ids[left]) || IsFrozen(symbols.Ids[right])
            || !_ids.TryGetValue(text.Slice(symbols.Starts[left], symbols.Widths[left] + symbols.Widths[right]), out id))
        {
            return false;
        }

        rank = _ranks[id];
        if (Pieces[id].Kind == PieceKind.Unused)
        {
            symbols.Halves[Pieces[id].Text] = symbols.Widths[left];
        }

        return true;
    }

    private bool IsFrozen(int id) => Pieces[id].Kind == PieceKind.UserDefined;

    private Word ToWord(Symbols symbols, ReadOnlySpan<char> text)
    {
        var ids = new List<int>(symbols.Count);
        var characters = new List<(int First, int Last)>(symbols.Count);
        var bytes = new List<int>();
        for (var i = 0; i < symbols.Count; i++)
        {
            AddParts(symbols.Starts[i], symbols.Widths[i], symbols.Ids[i], text);
        }

        return new Word([.. ids], [.. characters]);

        void AddParts(int start, int width, int id, ReadOnlySpan<char> text)
        {
            var last = start + width - Utf16.LengthBefore(text, start + width);
            if (Pieces[id].Kind == PieceKind.Unused && symbols.Halves.TryGetValue(Pieces[id].Text, out var half))
            {
                // An unused piece only helps to join others; it falls apart into what it was made of.
                AddParts(start, half, IdOf(text.Slice(start, half)), text);
                AddParts(start + half, width - half, IdOf(text.Slice(start + half, width - half)), text);
            }
            else if (id == _unknown && _byteIds is not null && ByteTokens.TryEncode(text.Slice(start, width), _byteIds, bytes))
            {
                ids.AddRange(bytes);
                characters.AddRange(Enumerable.Repeat((start, last), bytes.Count));
            }
            else if (id == _unknown && ids.Count > 0 && ids[^1] == _unknown)
            {
                characters[^1] = (characters[^1].First, last);
            }
            else
            {
                ids.Add(id);
                characters.Add((start, last));
            }
        }
    }

    private int IdOf(ReadOnlySpan<char> text) => _ids.TryGetValue(text, out var id) ? id : _unknown;
}
