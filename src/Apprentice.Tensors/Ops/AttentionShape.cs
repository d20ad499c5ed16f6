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

    public Operand KeyOperand(int s, int first, int kvHead, bool transposed) =>
        new(Keys(segments.All[s], cache is null ? null : cache.Keys.Data, _keys) + (long)first * KeyStride + kvHead * Width, KeyStride, transposed);

    public Operand ValueOperand(int s, int first, int kvHead, bool transposed = false) =>
        new(Keys(segments.All[s], cache is null ? null : cache.Values.Data, _values) + (long)first * KeyStride + kvHead * Width, KeyStride, transposed);

    public void Multiply(int m, int n, int steps, float* a, nint aRow, nint aStep, Operand b, float* c, nint cRow, bool accumulate, float* work) =>
        Gemm.Serial(_simd, m, n, steps, a, aRow, aStep, b, c, cRow, accumulate, work);

    /// <summary>Scaled, capped and masked scores [block.Count, count] against keys first.. of segment s; -inf where not seen.</summary>
    public void Scores(SegmentBlock block, int head, int s, int first, int count, float* scores, int stride, float* work)
    {
        var queries = Queries + QueryRow(block) * QueryStride + head * Width;
        Multiply(block.Count, count, Width, queries, QueryStride, 1, KeyOperand(s, first, head / Group, transposed: true), scores, stride, false, work);
        for (var i = 0; i < block.Count; i++)
        {
            var row = new Span<float>(scores + (long)i * stride, count);
            TensorPrimitives.Multiply(row, _scale, row);
            if (rule.Softcap is { } cap)
            {
                TensorPrimitives.Multiply(row, 1 / cap, row);
                TensorPrimitives.Tanh(row, row);
                TensorPrimitives.Multiply(row, cap, row);
            }

            var (low, high) = Seen(block, i, s);
            row[..Math.Clamp(low - first, 0, count)].Fill(float.NegativeInfinity);
            row[Math.Clamp(high - first, 0, count)..].Fill(float.NegativeInfinity);
        }
    }

    /// <summary>
    /// Probabilities P and gradients dS of the unscaled scores, both [block.Count, count], against keys first.. of
    /// segment s: dS = scale * P * (dO Vᵀ - sum(dO * O)), times the slope of the cap.
    /// </summary>
    public void ScoreGradients(SegmentBlock block, int head, int s, int first, int count, float* dOutput, float* along, float* p, float* ds, float* work)
    {
        Scores(block, head, s, first, count, p, count, work);
        var start = QueryRow(block);
        Multiply(block.Count, count, Width, dOutput + start * QueryStride + head * Width, QueryStride, 1, ValueOperand(s, first, head / Group, transposed: true), ds, count, false, work);
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
            TensorPrimitives.Exp(probabilities, probabilities);
            TensorPrimitives.Multiply(gradients, probabilities, gradients);
            TensorPrimitives.Multiply(gradients, _scale, gradients);
        }
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

    private float* Keys(Segment segment, float* cached, float* batch) =>
        (segment.Cached ? cached : batch) + (long)segment.Start * KeyStride;
}
