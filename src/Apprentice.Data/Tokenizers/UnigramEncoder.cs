namespace Apprentice.Data.Tokenizers;

/// <summary>
/// Unigram (Kudo 2018): of all ways to cut a text into pieces the one with the highest sum of scores, found from left to
/// right; of equals the first found. A character without a piece costs 10 more than the least score and becomes the
/// unknown token or tokens of its bytes.
/// </summary>
internal sealed class UnigramEncoder : TokenModel
{
    private const double UnknownPenalty = 10;
    private readonly IReadOnlyList<ScoredPiece> _pieces;
    private readonly TokenTrie _trie = new();
    private readonly double[] _scores;
    private readonly double _unknownScore;
    private readonly double _longestBonus;
    private readonly int[]? _byteIds;
    private readonly int _unknown;
    private readonly bool _sentencePiece;

    /// <param name="pieces">By id.</param>
    /// <param name="unknown">The id of the unknown token.</param>
    /// <param name="byteFallback">Whether unknown characters become the tokens of their bytes, where all are there.</param>
    /// <param name="sentencePiece">
    /// Whether it is as SentencePiece does it: sums kept in single precision, user-defined pieces always win, control and
    /// unused ones are never found, bytes stand for one character each. Else it is as Hugging Face tokenizers does it.
    /// </param>
    public UnigramEncoder(IReadOnlyList<ScoredPiece> pieces, int unknown, bool byteFallback, bool sentencePiece)
    {
        (_pieces, _unknown, _sentencePiece) = (pieces, unknown, sentencePiece);
        _byteIds = byteFallback ? ScoredPiece.ByteIds(pieces) : null;
        _scores = [.. pieces.Select(p => p.Score)];
        var counted = pieces.Where(p => !sentencePiece || p.Kind == PieceKind.Normal).Select(p => p.Score).DefaultIfEmpty(0).ToArray();
        _unknownScore = sentencePiece ? (float)counted.Min() - (float)UnknownPenalty : counted.Min() - UnknownPenalty;
        _longestBonus = counted.Max();
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].Text.Length > 0 && (!sentencePiece || pieces[id].Kind is PieceKind.Normal or PieceKind.UserDefined))
            {
                _trie.Add(pieces[id].Text, id, replace: true);
            }
        }
    }

    public override int? ShownAsText => _unknown;

    protected override Word EncodeWord(ReadOnlySpan<char> text)
    {
        // The best way to each place: its score, and the piece and the place that it came from.
        var best = new (double Score, int Id, int From)[text.Length + 1];
        Array.Fill(best, (0, -1, -1));
        for (var start = 0; start < text.Length;)
        {
            var length = Utf16.Length(text, start);
            var single = false;
            var node = TokenTrie.Root;
            for (var end = start; end < text.Length && (node = _trie.Step(node, text[end])) >= 0;)
            {
                end++;
                if (_trie.Value(node) is >= 0 and var id)
                {
                    Offer(best, start, end, id, Score(id, text[start..end]));
                    single |= end - start == length;
                }
            }

            if (!single)
            {
                Offer(best, start, start + length, _unknown, _unknownScore);
            }

            start += length;
        }

        return Follow(best, text);
    }

    private double Score(int id, ReadOnlySpan<char> text) =>
        _sentencePiece && _pieces[id].Kind == PieceKind.UserDefined ? (System.Text.Encoding.UTF8.GetByteCount(text) * _longestBonus) - 0.1 : _scores[id];

    private void Offer((double Score, int Id, int From)[] best, int start, int end, int id, double score)
    {
        var sum = best[start].Score + score;
        sum = _sentencePiece ? (float)sum : sum;
        if (best[end].From < 0 || sum > best[end].Score)
        {
            best[end] = (sum, id, start);
        }
    }

    private Word Follow((double Score, int Id, int From)[] best, ReadOnlySpan<char> text)
    {
        var path = new List<(int Id, int Start, int End)>();
        for (var end = text.Length; end > 0; end = best[end].From)
        {
            path.Add((best[end].Id, best[end].From, end));
        }

        path.Reverse();
        var ids = new List<int>(path.Count);
        var characters = new List<(int First, int Last)>(path.Count);
        var bytes = new List<int>();
        for (var i = 0; i < path.Count; i++)
        {
            var (id, start, end) = path[i];
            while (id == _unknown && !(_sentencePiece && _byteIds is not null) && i + 1 < path.Count && path[i + 1].Id == _unknown)
            {
                end = path[++i].End;
            }

            // Hugging Face tokenizers find the text of the unknown token itself too.
            var named = !_sentencePiece && _trie.Longest(text[start..end], out var length) >= 0 && length == end - start;
            var last = end - Utf16.LengthBefore(text, end);
            var asBytes = id == _unknown && !named && _byteIds is not null && ByteTokens.TryEncode(text[start..end], _byteIds, bytes);
            ids.AddRange(asBytes ? bytes : [id]);
            characters.AddRange(Enumerable.Repeat((start, last), asBytes ? bytes.Count : 1));
        }

        return new Word([.. ids], [.. characters]);
    }
}
