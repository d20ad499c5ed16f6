using Apprentice.Tensors.Kernels;

namespace Apprentice.Tensors.Ops;

/// <summary>The two passes of attention's backward: one writes rows of dQ, one rows of dK and dV, so nothing is added atomically.</summary>
internal static unsafe class AttentionBackward
{
    /// <summary>dQ of one block of queries, and sum(dO * O) for the key pass.</summary>
    public readonly struct QueryJob(AttentionShape shape, float* output, float* dOutput, float* along, float* dq, bool accumulate) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var (block, kvHead) = shape.Part(part);
            var square = (long)block.Count * Segments.BlockRows;
            var p = scratch.Floats(2 * square + 2 * shape.TurnedFloats(Segments.BlockRows) + Gemm.SerialFloats(Math.Max(shape.Width, Segments.BlockRows)));
            var ds = p + square;
            var turnedKeys = ds + square;
            var turnedValues = turnedKeys + shape.TurnedFloats(Segments.BlockRows);
            var gemm = turnedValues + shape.TurnedFloats(Segments.BlockRows);
            var heads = (First: kvHead * shape.Group, End: (kvHead + 1) * shape.Group);
            for (var head = heads.First; head < heads.End; head++)
            {
                for (var i = 0; i < block.Count; i++)
                {
                    var row = shape.QueryRow(block) + i;
                    var at = row * shape.QueryStride + head * shape.Width;
                    along[row * shape.Heads + head] = Kernels.Rows.Dot(output + at, dOutput + at, shape.Width);
                }
            }

            if (dq == null)
            {
                return;
            }

            var written = accumulate;
            foreach (var s in shape.Segments.Chains[block.Segment])
            {
                var visible = shape.Visible(block, s);
                for (var first = 0; first < visible; first += Segments.BlockRows)
                {
                    var count = Math.Min(Segments.BlockRows, visible - first);
                    var keys = shape.TurnedKeys(s, first, count, kvHead, turnedKeys);
                    var values = shape.TurnedValues(s, first, count, kvHead, turnedValues);
                    for (var head = heads.First; head < heads.End; head++)
                    {
                        shape.ScoreGradients(block, head, s, first, count, keys, values, dOutput, along, p, ds, gemm);
                        var to = dq + shape.QueryRow(block) * shape.QueryStride + head * shape.Width;
                        shape.Multiply(block.Count, shape.Width, count, ds, count, 1, shape.KeyOperand(s, first, kvHead), to, shape.QueryStride, written, gemm);
                    }

                    written = true;
                }
            }
        }
    }

    /// <summary>dK and dV of one block of keys: over all query blocks that see it and all heads of the group, in order.</summary>
    public readonly struct KeyJob(AttentionShape shape, float* dOutput, float* along, float* dk, bool addKeys, float* dv, bool addValues) : IJob
    {
        public void Run(int part, Scratch scratch)
        {
            var (keys, kvHead) = shape.Part(part);
            const int Square = Segments.BlockRows * Segments.BlockRows;
            var p = scratch.Floats(2 * Square + 2 * shape.TurnedFloats(keys.Count) + Gemm.SerialFloats(Math.Max(shape.Width, Segments.BlockRows)));
            var ds = p + Square;
            var turnedKeys = ds + Square;
            var turnedValues = turnedKeys + shape.TurnedFloats(keys.Count);
            var gemm = turnedValues + shape.TurnedFloats(keys.Count);
            var k = shape.TurnedKeys(keys.Segment, keys.First, keys.Count, kvHead, turnedKeys);
            var v = shape.TurnedValues(keys.Segment, keys.First, keys.Count, kvHead, turnedValues);
            var to = shape.QueryRow(keys) * shape.KeyStride + kvHead * shape.Width;
            var (keysWritten, valuesWritten) = (addKeys, addValues);
            foreach (var block in shape.Segments.Seers[keys.Segment])
            {
                var count = Math.Min(keys.Count, shape.Visible(block, keys.Segment) - keys.First);
                if (count <= 0)
                {
                    continue;
                }

                for (var head = kvHead * shape.Group; head < (kvHead + 1) * shape.Group; head++)
                {
                    shape.ScoreGradients(block, head, keys.Segment, keys.First, count, k, v, dOutput, along, p, ds, gemm);
                    var row = shape.QueryRow(block) * shape.QueryStride + head * shape.Width;
                    if (dv != null)
                    {
                        var from = new Operand(dOutput + row, shape.QueryStride, transposed: false);
                        shape.Multiply(count, shape.Width, block.Count, p, 1, count, from, dv + to, shape.KeyStride, valuesWritten, gemm);
                        valuesWritten = true;
                    }

                    if (dk != null)
                    {
                        var from = new Operand(shape.Queries + row, shape.QueryStride, transposed: false);
                        shape.Multiply(count, shape.Width, block.Count, ds, 1, count, from, dk + to, shape.KeyStride, keysWritten, gemm);
                        keysWritten = true;
                    }
                }
            }
        }
    }
}
