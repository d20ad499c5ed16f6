namespace Apprentice.Data.Batching;

/// <summary>
/// Which pieces of a corpus each step of pretraining learns from. The pieces form an endless row, pass after pass, each in
/// an order of its own; a step takes those that begin within its share of the row, always the same number of tokens. A pure
/// function of seed and step, so a resumed run needs to know nothing but its step.
/// </summary>
public sealed class CorpusOrder
{
    private readonly TokenCorpus _corpus;
    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly ulong _seed;
    private readonly RandomStream _stream;
    private (long Pass, int[] Order, long[] Begins)? _last; // only to save time

    /// <param name="corpus">Where the pieces lie.</param>
    /// <param name="maxLength">Most tokens of a piece.</param>
    /// <param name="stepTokens">Tokens of a step, up to one piece more or less; at least as many as a piece has.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">What the order is for: two corpora of a run must not share it.</param>
    public CorpusOrder(TokenCorpus corpus, int maxLength, int stepTokens, ulong seed, RandomStream stream)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepTokens, maxLength);
        (_corpus, StepTokens, _seed, _stream) = (corpus, stepTokens, seed, stream);
        (_starts, _lengths) = corpus.Cut(maxLength);
        PassTokens = _lengths.Sum(length => (long)length);
    }

    /// <summary>Tokens of a step.</summary>
    public int StepTokens { get; }

    /// <summary>Tokens of one pass over all pieces; the first of a piece that goes on is there twice.</summary>
    public long PassTokens { get; }

    /// <summary>Pieces in all.</summary>
    public int Pieces => _starts.Length;

    /// <summary>The pieces of step <paramref name="step"/> (from 0): every token after the first is learned.</summary>
    public IReadOnlyList<TokenizedExample> Step(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        var pieces = new List<TokenizedExample>();
        for (var (from, end) = (step * StepTokens, (step + 1) * StepTokens); from < end;)
        {
            var (pass, within) = Math.DivRem(from, PassTokens);
            var (order, begins) = Pass(pass);
            var first = Array.BinarySearch(begins, within);
            for (var i = first < 0 ? ~first : first; i < order.Length && pass * PassTokens + begins[i] < end; i++)
            {
                pieces.Add(Piece(order[i]));
            }

            from = (pass + 1) * PassTokens;
        }

        return pieces;
    }

    /// <summary>All pieces once, in the order of the corpus.</summary>
    public IReadOnlyList<TokenizedExample> InOrder() => [.. Enumerable.Range(0, Pieces).Select(Piece)];

    private TokenizedExample Piece(int index)
    {
        var weights = new float[_lengths[index]];
        Array.Fill(weights, 1);
        return new TokenizedExample(_corpus.Span(_starts[index], _lengths[index]).ToArray(), weights);
    }

    private (int[] Order, long[] Begins) Pass(long pass)
    {
        if (_last is not { } last || last.Pass != pass)
        {
            var order = new CounterRandom(_seed, _stream, (ulong)pass).Permutation(_starts.Length);
            var begins = new long[order.Length];
            for (var i = 1; i < order.Length; i++)
            {
                begins[i] = begins[i - 1] + _lengths[order[i - 1]];
            }

            _last = last = (pass, order, begins);
        }

        return (last.Order, last.Begins);
    }
}
