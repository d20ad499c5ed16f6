using System.Buffers.Binary;
using System.Text;

namespace Apprentice.Data.Datasets;

/// <summary>
/// Training and validation examples, each in the order of its file. Examples with the same input are always on the same
/// side, so that validation never asks what training has answered. Which side is a function of the seed and the input
/// alone: more rows or another order leave the others where they are, as far as the size allows.
/// </summary>
public sealed record Split(IReadOnlyList<Example> Train, IReadOnlyList<Example> Validation)
{
    /// <summary>
    /// Holds out at most <paramref name="count"/> examples: whole groups of equal inputs are taken in the order of a hash
    /// while they fit, so it may be a few less.
    /// </summary>
    public static Split ByCount(IReadOnlyList<Example> examples, int count, ulong seed)
    {
        if (count < 1 || count >= examples.Count)
        {
            throw new InputException("bad_validation", $"{count} examples for validation of {examples.Count} in all; at least one must be on each side", hint: "give a separate validation file, or none");
        }

        var random = new CounterRandom(seed, RandomStream.Split);
        var groups = examples
            .GroupBy(InputOf)
            .Select(group => (Members: group.ToArray(), Rank: random.UInt64(Hash(group.Key))))
            .OrderBy(group => group.Rank)
            .ToList();
        var held = new HashSet<Example>(ReferenceEqualityComparer.Instance);
        foreach (var (members, _) in groups.Where(group => group.Members.Length <= count))
        {
            if (held.Count + members.Length <= count)
            {
                held.UnionWith(members);
            }
        }

        return held.Count > 0
            ? new Split(examples.Where(example => !held.Contains(example)).ToArray(), examples.Where(held.Contains).ToArray())
            : throw new InputException("bad_validation", $"no {count} examples can be held out: every input occurs more often than that, and equal inputs stay together", hint: "hold out more, give a separate validation file, or none");
    }

    /// <summary>What the model is given: two examples with the same input differ at most in the answer.</summary>
    internal static string InputOf(Example example)
    {
        if (example.Text is not null)
        {
            return example.Text;
        }

        var input = new StringBuilder();
        foreach (var message in example.Prompt)
        {
            input.Append(message.ToJsonString()).Append('\n');
        }

        return input.Append(example.Tools?.ToJsonString()).ToString();
    }

    private static ulong Hash(string input) =>
        BinaryPrimitives.ReadUInt64LittleEndian(Sha256.Hash(input));
}
