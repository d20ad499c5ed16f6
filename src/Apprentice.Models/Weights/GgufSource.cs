using Apprentice.Tensors;

namespace Apprentice.Models.Weights;

/// <summary>
/// The tensors of a GGUF file under their Hugging Face names and in the Hugging Face order, so that adapters and exports see
/// that: what llama.cpp stores otherwise is put back.
/// </summary>
public sealed class GgufSource(GgufFile file, GgufMapping mapping) : WeightSource
{
    public override string Path => file.Path;

    public override IReadOnlyList<string> Files => [file.Path];

    public override bool Has(string name) => Find(name) is not null;

    public override Weight Get(string name, params long[] shape)
    {
        var tensor = Find(name) ?? throw Missing($"{name}' ('{mapping.Translate(name) ?? "unknown in GGUF"}')");
        var actual = tensor.Dimensions.Reverse().ToArray(); // ggml counts the contiguous dimension first
        while (actual.Length > shape.Length && actual[0] == 1)
        {
            actual = actual[1..];
        }

        if (!actual.SequenceEqual(shape))
        {
            throw WrongShape(name, actual, shape);
        }

        var weight = Map(file.Path).Weight(name, tensor.Offset, file.StorageTypeOf(tensor), shape);
        if (mapping.OffsetOf(name) is var offset and not 0)
        {
            return Weight.FromValues(name, trainable: false, Array.ConvertAll(weight.ToArray(), w => w - offset), shape);
        }

        if (mapping.InterleavedHeads(name) is not { } heads)
        {
            return weight;
        }

        // A bias in blocks is odd but possible; its elements can only be moved when they are widened.
        var movable = shape.Length == 1 && weight.Type != StorageType.F32 ? weight.Widened(trainable: false) : weight;
        return movable.WithRows(HuggingFaceOrder((int)shape[0], heads));
    }

    /// <summary>Row r of the GGUF matrix is this row of the Hugging Face one: the other way round.</summary>
    internal static int[] InterleavedOrder(int rows, int heads)
    {
        var order = new int[rows];
        foreach (var (at, r) in HuggingFaceOrder(rows, heads).Select((at, r) => (at, r)))
        {
            order[at] = r;
        }

        return order;
    }

    /// <summary>Row r of the Hugging Face matrix stands at this row of the GGUF one: (head, half, i) at (head, i, half).</summary>
    internal static int[] HuggingFaceOrder(int rows, int heads)
    {
        var half = rows / heads / 2;
        return [.. Enumerable.Range(0, rows).Select(r =>
        {
            var (head, within) = Math.DivRem(r, 2 * half);
            var (side, i) = Math.DivRem(within, half);
            return head * 2 * half + i * 2 + side;
        })];
    }

    private GgufTensorInfo? Find(string name) => mapping.Translate(name) is { } stored ? file.Find(stored) : null;
}
