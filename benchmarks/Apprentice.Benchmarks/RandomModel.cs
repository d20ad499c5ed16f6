using System.Runtime.InteropServices;
using Apprentice.Data;
using Apprentice.Models.Weights;
using Apprentice.Tensors;

namespace Apprentice.Benchmarks;

/// <summary>
/// Writes a GGUF file of architecture llama with matrices of random Q4_0 blocks and without a tokenizer: what time and
/// memory depend on. The output projection is tied to the embedding. A llama's biases come on all four projections of
/// attention, so a Qwen2 shape has one more than the original.
/// </summary>
internal static class RandomModel
{
    private static readonly GgmlType F32 = GgmlType.All.Values.Single(t => t.Storage == StorageType.F32);
    private static readonly GgmlType Q4Zero = GgmlType.All.Values.Single(t => t.Storage == StorageType.Q4_0);

    public static void Write(string path, ModelShape shape)
    {
        (string, object)[] metadata =
        [
            ("general.architecture", "llama"),
            ("llama.block_count", (uint)shape.Layers),
            ("llama.embedding_length", (uint)shape.Width),
            ("llama.feed_forward_length", (uint)shape.FeedForward),
            ("llama.attention.head_count", (uint)shape.Heads),
            ("llama.attention.head_count_kv", (uint)shape.KeyValueHeads),
            ("llama.attention.key_length", (uint)shape.HeadWidth),
            ("llama.attention.value_length", (uint)shape.HeadWidth),
            ("llama.context_length", 131_072u),
            ("llama.attention.layer_norm_rms_epsilon", 1e-5f),
            ("llama.rope.freq_base", 100_000f),
        ];
        var shapes = Tensors(shape).ToArray();
        var ones = MemoryMarshal.AsBytes<float>(Enumerable.Repeat(1f, shapes.Max(t => t.Columns)).ToArray()).ToArray();
        var blocks = RandomBlocks();
        using var stream = File.Create(path);
        GgufWriter.Write(stream, metadata, [.. shapes.Select(t => t.Rows == 1 ? Tensor(t.Name, [t.Columns], F32, ones) : Tensor(t.Name, [t.Rows, t.Columns], Q4Zero, blocks))]);
    }

    /// <summary>A tensor of these bytes again and again.</summary>
    private static GgufTensor Tensor(string name, long[] shape, GgmlType type, byte[] source)
    {
        var bytes = new GgufTensor(name, shape, type, _ => { }).Bytes;
        return new GgufTensor(name, shape, type, stream =>
        {
            for (var done = 0L; done < bytes; done += source.Length)
            {
                stream.Write(source, 0, (int)Math.Min(source.Length, bytes - done));
            }
        });
    }

    private static IEnumerable<(string Name, int Columns, int Rows)> Tensors(ModelShape shape)
    {
        var (queries, keys) = (shape.Heads * shape.HeadWidth, shape.KeyValueHeads * shape.HeadWidth);
        yield return ("token_embd.weight", shape.Width, shape.Vocabulary);
        yield return ("output_norm.weight", shape.Width, 1);
        for (var i = 0; i < shape.Layers; i++)
        {
            yield return ($"blk.{i}.attn_norm.weight", shape.Width, 1);
            yield return ($"blk.{i}.ffn_norm.weight", shape.Width, 1);
            foreach (var (name, columns, rows) in new[]
            {
                ("attn_q", shape.Width, queries), ("attn_k", shape.Width, keys), ("attn_v", shape.Width, keys), ("attn_output", queries, shape.Width),
                ("ffn_gate", shape.Width, shape.FeedForward), ("ffn_up", shape.Width, shape.FeedForward), ("ffn_down", shape.FeedForward, shape.Width),
            })
            {
                yield return ($"blk.{i}.{name}.weight", columns, rows);
                if (shape.Biases && name.StartsWith("attn", StringComparison.Ordinal))
                {
                    yield return ($"blk.{i}.{name}.bias", rows, 1);
                }
            }
        }
    }

    /// <summary>About a megabyte of blocks, which is written again and again: speed does not depend on the values.</summary>
    private static byte[] RandomBlocks()
    {
        const int Blocks = 65_521; // a prime, so that rows differ
        var random = new CounterRandom(seed: 1, RandomStream.Initialization, 0);
        var bytes = new byte[Blocks * Q4Zero.BlockBytes];
        for (var b = 0; b < Blocks; b++)
        {
            var block = bytes.AsSpan(b * Q4Zero.BlockBytes, Q4Zero.BlockBytes);
            BitConverter.TryWriteBytes(block, (Half)0.005f);
            BitConverter.TryWriteBytes(block[2..], random.UInt64(2 * (ulong)b));
            BitConverter.TryWriteBytes(block[10..], random.UInt64(2 * (ulong)b + 1));
        }

        return bytes;
    }
}
