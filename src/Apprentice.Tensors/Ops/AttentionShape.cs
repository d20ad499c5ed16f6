using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>Where queries, keys and values of one attention lie, and the products that its passes share.</summary>
internal sealed unsafe class AttentionShape(
    Tape tape, Segments segments, AttentionRule rule, Tensor q, Tensor k, Tensor v, CachedKeys? cache, float* logSums)
{
    private readonly SimdLevel _simd = tape.Engine.Simd;
    private readonly float* _keys = tape.Values(k);
    private readonly float* _values = tape.Values(v);
    private readonly float _scale = rule.Scale ?? 1 / MathF.Sqrt(q.Columns / rule.Heads);

    public Segments Segments => segments;

    public int Heads => rule.Heads;

    public int KeyValueHeads => rule.KeyValueHeads;

    /// <summary>Query heads that share one key-value head.</summary>
    public int Group => rule.Heads / rule.KeyValueHeads;

    /// <summary>Dimensions of one head.</summary>
    public int Width { get; } = q.Columns / rule.Heads;

    public int QueryStride { get; } = q.Columns;

    public int KeyStride { get; } = k.Columns;

    public float* Queries { get; } = tape.Values(q);

    /// <summary>log(sum(exp(scores))) of each row and head.</summary>
    public float* LogSums => logSums;

    /// <summary>The block and key-value head of a numbered part.</summary>
    public (SegmentBlock Block, int KeyValueHead) Part(int part) =>
        (segments.Blocks[part / rule.KeyValueHeads], part % rule.KeyValueHeads);

    /// <summary>Row of the batch at which a block starts.</summary>
    public long QueryRow(SegmentBlock block) => segments.All[block.Segment].Start + block.First;

    /// <summary>How many leading keys of segment s any query of the block can see (later ones none of them).</summary>
    public int Visible(SegmentBlock block, int s) =>
        s == block.Segment && rule.Causal ? block.First + block.Count : segments.All[s].Length;

    /// <summary>Keys that the block looks at, over all segments of its chain.</summary>
    public int KeyCount(SegmentBlock block)
    {
        var count = 0;
        foreach (var s in segments.Chains[block.Segment])
        {
            count += Visible(block, s);
        }

        return count;
    }

    public Operand KeyOperand(int s, int first, int kvHead) => new(KeyRows(s, first, kvHead), KeyStride, transposed: false);

    public Operand ValueOperand(int s, int first, int kvHead) => new(ValueRows(s, first, kvHead), KeyStride, transposed: false);

    /// <summary>Keys first.. of segment s as columns [Width, count]: turned once, then read in place for each head of the group.</summary>
    public Operand TurnedKeys(int s, int first, int count, int kvHead, float* to) => Turned(KeyRows(s, first, kvHead), count, to);

    /// <summary>Values first.. of segment s as columns [Width, count].</summary>
    public Operand TurnedValues(int s, int first, int count, int kvHead, float* to) => Turned(ValueRows(s, first, kvHead), count, to);

    /// <summary>What <see cref="TurnedKeys"/> or <see cref="TurnedValues"/> has left there.</summary>
    public Operand AlreadyTurned(float* turned, int count) => new(turned, TurnedStride(count), transposed: false);

    /// <summary>Floats that so many turned keys take.</summary>
    public long TurnedFloats(int count) => (long)Width * TurnedStride(count);

    /// <summary>Floats that all turned keys of the block take, segment after segment of its chain.</summary>
    public long TurnedFloats(SegmentBlock block)
    {
        var floats = 0L;
        foreach (var s in segments.Chains[block.Segment])
        {
            floats += TurnedFloats(Visible(block, s));
        }

        return floats;
    }

    public void Multiply(int m, int n, int steps, float* a, nint aRow, nint aStep, Operand b, float* c, nint cRow, bool accumulate, float* work) =>
        Gemm.Serial(_simd, m, n, steps, a, aRow, aStep, b, c, cRow, accumulate, work);

    /// <summary>Unscaled scores [block.Count, columns of keys] of one head.</summary>
    public void Scores(SegmentBlock block, int head, int count, Operand keys, float* scores, int stride, float* work) =>
        Multiply(block.Count, count, Width, Queries + QueryRow(block) * QueryStride + head * Width, QueryStride, 1, keys, scores, stride, false, work);

    /// <summary>Up to so many queries (decoding) it does not pay to turn the keys.</summary>
    public const int FewQueries = 2;

    /// <summary>
    /// Unscaled scores of few queries, straight from the keys of segment s, each of which is read once for all heads of the
    /// group, and with those of the following groups: head after head, block.Count rows each. The values are asked for meanwhile.
    /// </summary>
    public void FewScores(SegmentBlock block, int kvHead, int groups, int s, int count, float* scores, int stride)
    {
        var keys = KeyRows(s, 0, kvHead);
        var values = ValueRows(s, 0, kvHead);
        var groupScores = (long)Group * block.Count * stride;
        for (var i = 0; i < block.Count; i++)
        {
            var queries = Queries + (QueryRow(block) + i) * QueryStride + (long)kvHead * Group * Width;
            for (var j = 0; j < count; j++)
            {
                for (var h = 0; h < groups; h++)
                {
                    Kernels.Rows.Dots(
                        queries + h * Group * Width, Width, Group, keys + (long)j * KeyStride + h * Width, Width, scores + h * groupScores + (long)i * stride + j, (nint)block.Count * stride);
                }

                if (i == 0)
                {
                    Prefetch.Floats(values + (long)j * KeyStride, groups * Width);
                }
            }
        }
    }

    public void ScaleAndCap(float* scores, int count)
    {
        var all = new Span<float>(scores, count);
        TensorPrimitives.Multiply(all, _scale, all);
        if (rule.Softcap is { } cap)
        {
            Softcap.Bend(all, cap);
        }
    }

    /// <summary>-inf for keys first.. of segment s that a query of the block does not see.</summary>
    public void Mask(SegmentBlock block, int s, int first, int count, float* scores, int stride)
    {
        for (var i = 0; i < block.Count; i++)
        {
            var row = new Span<float>(scores + (long)i * stride, count);
            var (low, high) = Seen(block, i, s);
            if (low > first)
            {
                row[..Math.Min(low - first, count)].Fill(float.NegativeInfinity);
            }

            if (high < first + count)
            {
                row[Math.Max(high - first, 0)..].Fill(float.NegativeInfinity);
            }
        }
    }

    /// <summary>
    /// Probabilities P and gradients dS of the unscaled scores, both [block.Count, count], against keys first.. of
    /// segment s: dS = scale * P * (dO Vᵀ - sum(dO * O)), times the slope of the cap.
    /// </summary>
    /// <param name="keys">The keys, turned.</param>
    /// <param name="values">The values, turned.</param>
    public void ScoreGradients(
        SegmentBlock block, int head, int s, int first, int count, Operand keys, Operand values, float* dOutput, float* along, float* p, float* ds, float* work)
    {
        var start = QueryRow(block);
        Scores(block, head, count, keys, p, count, work);
        ScaleAndCap(p, block.Count * count);
        Mask(block, s, first, count, p, count);
        Multiply(block.Count, count, Width, dOutput + start * QueryStride + head * Width, QueryStride, 1, values, ds, count, false, work);
        for (var i = 0; i < block.Count; i++)
        {
            var statistic = (start + i) * Heads + head;
            var probabilities = new Span<float>(p + (long)i * count, count);
            var gradients = new Span<float>(ds + (long)i * count, count);
            TensorPrimitives.Subtract(gradients, along[statistic], gradients);
            if (rule.Softcap is { } cap)
            {
                for (var j = 0; j < count; j++)
                {
                    var t = float.IsFinite(probabilities[j]) ? probabilities[j] / cap : 0;
                    gradients[j] *= 1 - t * t;
                }
            }

            TensorPrimitives.Subtract(probabilities, logSums[statistic], probabilities);
        }

        var allProbabilities = new Span<float>(p, block.Count * count);
        var allGradients = new Span<float>(ds, block.Count * count);
        Exponential.Exp(allProbabilities, allProbabilities);
        TensorPrimitives.Multiply(allGradients, allProbabilities, allGradients);
        TensorPrimitives.Multiply(allGradients, _scale, allGradients);
    }

    /// <summary>Keys [low, high) of segment s that query i of the block sees: they have consecutive positions.</summary>
    private (int Low, int High) Seen(SegmentBlock block, int i, int s)
    {
        var key = segments.All[s];
        var position = segments.All[block.Segment].FirstPosition + block.First + i;
        var high = s == block.Segment && rule.Causal ? block.First + i + 1 : key.Length;
        var low = rule.Window is { } window ? Math.Max(0, position - window + 1 - key.FirstPosition) : 0;
        return (low, high);
    }

    private float* KeyRows(int s, int first, int kvHead) => Rows(s, cache is null ? null : cache.Keys.Data, _keys, first, kvHead);

    private float* ValueRows(int s, int first, int kvHead) => Rows(s, cache is null ? null : cache.Values.Data, _values, first, kvHead);

    private float* Rows(int s, float* cached, float* batch, int first, int kvHead) =>
        (segments.All[s].Cached ? cached : batch) + ((long)segments.All[s].Start + first) * KeyStride + kvHead * Width;

    private Operand Turned(float* rows, int count, float* to)
    {
        for (var c = 0; c < count; c += Transpose.Rows)
        {
            Transpose.Copy(rows + (long)c * KeyStride, KeyStride, Math.Min(Transpose.Rows, count - c), Width, to + c, TurnedStride(count));
        }

        return AlreadyTurned(to, count);
    }

    /// <summary>Whole cache lines, so that no vector of a row lies across two.</summary>
    private static int TurnedStride(int count) => (count + 15) / 16 * 16;
}
