using System.Runtime.InteropServices;
using System.Text;
using Apprentice.Data;

namespace Apprentice.Benchmarks;

/// <summary>
/// Writes a GGUF file of architecture llama with matrices of random Q4_0 blocks and without a tokenizer: what time and
/// memory depend on. The output projection is tied to the embedding. A llama's biases come on all four projections of
/// attention, so a Qwen2 shape has one more than the original.
/// </summary>
internal static class RandomModel
{
    private const uint F32 = 0;
    private const uint Q4Zero = 2;
    private const int BlockElements = 32;
    private const int BlockBytes = 18;
    private const int Alignment = 32;

    public static void Write(string path, ModelShape shape)
    {
        var tensors = Tensors(shape).ToArray();
        using var stream = File.Create(path);
        using var w = new BinaryWriter(stream);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((ulong)tensors.Length);
        (string Key, object Value)[] metadata =
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
        w.Write((ulong)metadata.Length);
        foreach (var (key, value) in metadata)
        {
            Text(w, key);
            w.Write(value switch { uint => 4u, float => 6u, _ => 8u });
            switch (value)
            {
                case uint number: w.Write(number); break;
                case float number: w.Write(number); break;
                case string text: Text(w, text); break;
            }
        }

        var offset = 0L;
        foreach (var (name, columns, rows) in tensors)
        {
            Text(w, name);
            w.Write(rows == 1 ? 1u : 2u);
            w.Write((ulong)columns);
            if (rows > 1)
            {
                w.Write((ulong)rows);
            }

            w.Write(rows == 1 ? F32 : Q4Zero);
            w.Write(offset);
            offset += Padded(Bytes(columns, rows));
        }

        w.Flush();
        stream.Write(new byte[Padded(stream.Position) - stream.Position]);
        var ones = MemoryMarshal.AsBytes<float>(Enumerable.Repeat(1f, tensors.Max(t => t.Columns)).ToArray()).ToArray();
        var blocks = RandomBlocks();
        foreach (var (_, columns, rows) in tensors)
        {
            var bytes = Bytes(columns, rows);
            var source = rows == 1 ? ones : blocks;
            for (var done = 0L; done < bytes; done += source.Length)
            {
                stream.Write(source, 0, (int)Math.Min(source.Length, bytes - done));
            }

            stream.Write(new byte[Padded(bytes) - bytes]);
        }
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
        var bytes = new byte[Blocks * BlockBytes];
        for (var b = 0; b < Blocks; b++)
        {
            var block = bytes.AsSpan(b * BlockBytes, BlockBytes);
            BitConverter.TryWriteBytes(block, (Half)0.005f);
            BitConverter.TryWriteBytes(block[2..], random.UInt64(2 * (ulong)b));
            BitConverter.TryWriteBytes(block[10..], random.UInt64(2 * (ulong)b + 1));
        }

        return bytes;
    }

    private static long Bytes(int columns, int rows) => rows == 1 ? columns * sizeof(float) : (long)rows * columns / BlockElements * BlockBytes;

    private static long Padded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Text(BinaryWriter w, string text)
    {
        w.Write((ulong)text.Length);
        w.Write(Encoding.ASCII.GetBytes(text));
    }
}
