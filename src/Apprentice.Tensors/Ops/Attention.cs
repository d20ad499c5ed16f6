using System.Numerics.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>What a token may see, and how scores are scaled. The same for all heads of a layer.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; query head h uses head h / (Heads / KeyValueHeads).</param>
/// <param name="Causal">Within its own segment a token sees itself and earlier ones only.</param>
/// <param name="Window">A token sees keys at positions above its own minus this many; null: all.</param>
/// <param name="Scale">Multiplies the scores; null: 1/sqrt(head width).</param>
/// <param name="Softcap">Scores become cap * tanh(score / cap); null: not.</param>
public sealed record AttentionRule(int Heads, int KeyValueHeads, bool Causal = true, int? Window = null, float? Scale = null, float? Softcap = null);

/// <summary>Keys and values computed earlier, one row a token.</summary>
/// <param name="Keys">[rows, key-value heads * head width], rotated.</param>
/// <param name="Values">[rows, key-value heads * head width].</param>
public sealed record CachedKeys(Tensor Keys, Tensor Values);

/// <summary>
/// Softmax(Q Kᵀ * scale) V over segments (Vaswani et al. 2017), block by block. Backward makes the probabilities again
/// from the row's log-sum-exp, in one pass over query blocks and one over key blocks (Dao 2023), so that every sum has a
/// fixed order and nothing is added atomically.
/// </summary>
public static unsafe class Attention
{
    /// <param name="q">[rows, heads * width]; kept for backward.</param>
    /// <param name="k">[rows, key-value heads * width]; kept for backward.</param>
    /// <param name="v">Like <paramref name="k"/>.</param>
    /// <param name="cache">Rows that cached segments refer to; inference only.</param>
    /// <returns>[rows, heads * width].</returns>
    public static Tensor Apply(Tape tape, Tensor q, Tensor k, Tensor v, Segments segments, AttentionRule rule, CachedKeys? cache = null)
    {
        Check(tape, q, k, v, segments, rule, cache);
        var requires = q.RequiresGradient || k.RequiresGradient || v.RequiresGradient;
        var output = tape.New(q.Rows, q.Columns, requires);
        var logSums = tape.New(q.Rows, rule.Heads, requiresGradient: false);
        var shape = new AttentionShape(tape, segments, rule, q, k, v, cache, logSums.Data);
        var headsPerPart = ForwardJob.HeadsPerPart(shape, tape.Engine.Threads);
        tape.Engine.Team.Run(segments.Blocks.Length * rule.KeyValueHeads / headsPerPart, new ForwardJob(shape, headsPerPart, output.Data));
        tape.Record(new AttentionNode(output, q, k, v, segments, rule, logSums));
        return output;
    }

    private static void Check(Tape tape, Tensor q, Tensor k, Tensor v, Segments segments, AttentionRule rule, CachedKeys? cache)
    {
        var width = q.Columns / rule.Heads;
        if (rule.Heads % rule.KeyValueHeads != 0 || width * rule.Heads != q.Columns || k.Columns != width * rule.KeyValueHeads || v.Columns != k.Columns)
        {
            throw new ArgumentException($"q {q.Columns}, k {k.Columns}, v {v.Columns} columns do not fit {rule.Heads} heads over {rule.KeyValueHeads}", nameof(rule));
        }

        if (segments.Rows != q.Rows || k.Rows != q.Rows || v.Rows != q.Rows)
        {
            throw new ArgumentException($"segments of {segments.Rows} tokens for q, k, v of {q.Rows}, {k.Rows}, {v.Rows}", nameof(segments));
        }

        if (rule.Window < 1)
        {
            throw new ArgumentException($"a window of {rule.Window} leaves a token nothing to see", nameof(rule));
        }

        if (segments.CachedRows > (cache?.Keys.Rows ?? 0) || (segments.CachedRows > 0 && tape.Recording && q.RequiresGradient))
        {
            throw new ArgumentException("cached segments need a cache that holds them, and have no gradient", nameof(cache));
        }
    }

    private sealed class AttentionNode(Tensor output, Tensor q, Tensor k, Tensor v, Segments segments, AttentionRule rule, Tensor logSums)
        : Node(output)
    {
        public override void Backward(Tape tape)
        {
            // Made again: where a tensor's values were forgotten meanwhile, they now lie elsewhere.
            var shape = new AttentionShape(tape, segments, rule, q, k, v, null, logSums.Data);
            var along = tape.New(q.Rows, rule.Heads, requiresGradient: false); // sum(dO * O) of each row and head
            var team = tape.Engine.Team;
            var (addQuery, addKey, addValue) = (false, false, false);
            var dq = q.RequiresGradient ? tape.OpenGradient(q, out addQuery) : null;
            team.Run(segments.Blocks.Length * rule.KeyValueHeads, new AttentionBackward.QueryJob(shape, tape.Values(Output), Output.Gradient, along.Data, dq, addQuery));
            if (k.RequiresGradient || v.RequiresGradient)
            {
                var dk = k.RequiresGradient ? tape.OpenGradient(k, out addKey) : null;
                var dv = v.RequiresGradient ? tape.OpenGradient(v, out addValue) : null;
                team.Run(segments.Blocks.Length * rule.KeyValueHeads, new AttentionBackward.KeyJob(shape, Output.Gradient, along.Data, dk, addKey, dv, addValue));
            }

            tape.FreeValues(along);
            tape.FreeValues(logSums);
        }
    }

    /// <summary>One part: one block of queries, all query heads that share a key-value head, or those of all key-value heads.</summary>
    private readonly struct ForwardJob(AttentionShape shape, int headsPerPart, float* output) : IJob
    {
        /// <summary>Where there are sequences enough for all threads, all heads: their keys and values lie side by side.</summary>
        public static int HeadsPerPart(AttentionShape shape, int threads) => shape.Segments.Blocks.Length >= 4 * threads ? shape.KeyValueHeads : 1;

        public void Run(int part, Scratch scratch)
        {
            var (block, kvHead) = shape.Part(part * headsPerPart);
            if (block.Count <= AttentionShape.FewQueries)
            {
                Few(block, kvHead, scratch);
                return;
            }

            for (var h = 0; h < headsPerPart; h++)
            {
                Many(block, kvHead + h, scratch);
            }
        }

        /// <summary>Head after head against the keys, turned once for all of them.</summary>
        private void Many(SegmentBlock block, int kvHead, Scratch scratch)
        {
            var chain = shape.Segments.Chains[block.Segment];
            var keys = shape.KeyCount(block);
            var turnedFloats = shape.TurnedFloats(block);
            var scores = scratch.Floats((long)block.Count * keys + turnedFloats + Gemm.SerialFloats(Math.Max(shape.Width, keys)));
            var turned = scores + (long)block.Count * keys;
            var gemm = turned + turnedFloats;
            var columns = turned;
            foreach (var s in chain)
            {
                var visible = shape.Visible(block, s);
                shape.TurnedKeys(s, 0, visible, kvHead, columns);
                columns += shape.TurnedFloats(visible);
            }

            for (var head = kvHead * shape.Group; head < (kvHead + 1) * shape.Group; head++)
            {
                var at = 0;
                columns = turned;
                foreach (var s in chain)
                {
                    var visible = shape.Visible(block, s);
                    shape.Scores(block, head, visible, shape.AlreadyTurned(columns, visible), scores + at, keys, gemm);
                    columns += shape.TurnedFloats(visible);
                    at += visible;
                }

                shape.ScaleAndCap(scores, block.Count * keys);
                Softmax(block, head, scores, keys);
                at = 0;
                var to = output + shape.QueryRow(block) * shape.QueryStride + head * shape.Width;
                foreach (var s in chain)
                {
                    var visible = shape.Visible(block, s);
                    shape.Multiply(block.Count, shape.Width, visible, scores + at, keys, 1, shape.ValueOperand(s, 0, kvHead), to, shape.QueryStride, at > 0, gemm);
                    at += visible;
                }
            }
        }

        /// <summary>All heads of a group together, so that each key and value is read once and fewer tiles are half empty.</summary>
        private void Few(SegmentBlock block, int kvHead, Scratch scratch)
        {
            var chain = shape.Segments.Chains[block.Segment];
            var keys = shape.KeyCount(block);
            var headFloats = block.Count * keys;
            var heads = headsPerPart * shape.Group;
            var scores = scratch.Floats((long)heads * headFloats + Gemm.SerialFloats(Math.Max(shape.Width, keys)));
            var gemm = scores + (long)heads * headFloats;
            var at = 0;
            foreach (var s in chain)
            {
                shape.FewScores(block, kvHead, headsPerPart, s, shape.Visible(block, s), scores + at, keys);
                at += shape.Visible(block, s);
            }

            for (var h = 0; h < heads; h++)
            {
                shape.ScaleAndCap(scores + (long)h * headFloats, headFloats);
                Softmax(block, kvHead * shape.Group + h, scores + (long)h * headFloats, keys);
            }

            at = 0;
            var to = output + shape.QueryRow(block) * shape.QueryStride + kvHead * shape.Group * shape.Width;
            foreach (var s in chain)
            {
                var visible = shape.Visible(block, s);
                for (var h = 0; h < headsPerPart; h++)
                {
                    var from = scores + (long)h * shape.Group * headFloats + at;
                    var group = to + (long)h * shape.Group * shape.Width;
                    for (var i = 0; i < block.Count; i++)
                    {
                        shape.Multiply(
                            shape.Group, shape.Width, visible, from + i * keys, headFloats, 1, shape.ValueOperand(s, 0, kvHead + h), group + i * shape.QueryStride, shape.Width, at > 0, gemm);
                    }
                }

                at += visible;
            }
        }

        /// <summary>The scores of one head become probabilities, where a query does not look 0.</summary>
        private void Softmax(SegmentBlock block, int head, float* scores, int keys)
        {
            var at = 0;
            foreach (var s in shape.Segments.Chains[block.Segment])
            {
                shape.Mask(block, s, 0, shape.Visible(block, s), scores + at, keys);
                at += shape.Visible(block, s);
            }

            for (var i = 0; i < block.Count; i++)
            {
                var row = new Span<float>(scores + (long)i * keys, keys);
                var max = TensorPrimitives.Max(row);
                var sum = Kernels.Rows.ExpSum(scores + (long)i * keys, keys, max);
                TensorPrimitives.Multiply(row, 1 / sum, row);
                shape.LogSums[(shape.QueryRow(block) + i) * shape.Heads + head] = max + MathF.Log(sum);
            }
        }
    }
}
