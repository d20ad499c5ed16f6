namespace Apprentice.Models.Generation;

/// <summary>What the model itself found probable, before penalties, temperature and filters: kept from one row of logits.</summary>
internal sealed class LogProbabilities
{
    private readonly float[] _logits;
    private readonly double _logSum;
    private readonly ScoredToken[] _top;

    /// <param name="logits">[vocabulary].</param>
    /// <param name="top">How many of the most probable tokens are kept.</param>
    public LogProbabilities(ReadOnlySpan<float> logits, int top)
    {
        _logits = logits.ToArray();
        var (max, sum) = LogitsFilters.SoftmaxScale(logits);
        _logSum = max + Math.Log(sum);

        // The k largest by a heap whose root is the least of them; of equal ones the lower id stays.
        var best = new PriorityQueue<int, (float Logit, int Id)>();
        for (var id = 0; id < logits.Length && top > 0; id++)
        {
            if (best.Count < top)
            {
                best.Enqueue(id, (logits[id], -id));
            }
            else if (logits[id] > logits[best.Peek()])
            {
                best.EnqueueDequeue(id, (logits[id], -id));
            }
        }

        _top = new ScoredToken[best.Count];
        for (var i = best.Count - 1; i >= 0; i--)
        {
            _top[i] = Score(best.Dequeue());
        }
    }

    public TokenLogProbability Of(int token) => new(Score(token), _top);

    private ScoredToken Score(int id) => new(id, _logits[id] - _logSum);
}
