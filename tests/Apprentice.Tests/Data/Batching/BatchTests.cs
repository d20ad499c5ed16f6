using Apprentice.Data.Batching;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Batching;

public class BatchTests
{
    /// <summary>Examples whose tokens are all different, so that each can be found again.</summary>
    private static List<TokenizedExample> Make(IEnumerable<byte> shapes)
    {
        var (examples, token) = (new List<TokenizedExample>(), 0);
        foreach (var shape in shapes)
        {
            var length = 2 + (shape % 13);
            var ids = Enumerable.Range(token, length).ToArray();
            examples.Add(new TokenizedExample(ids, [.. ids.Select(id => (id + shape) % 3 == 0 ? 0f : 0.5f * (1 + (id % 2)))]));
            token += length;
        }

        return examples;
    }

    private static bool HoldsEverythingOnce(IReadOnlyList<TokenizedExample> examples, IReadOnlyList<Batch> batches)
    {
        var wanted = examples.SelectMany(example => example.Ids.Zip(example.Weights).Skip(1).Where(pair => pair.Second != 0)
            .Select(pair => (Source: pair.First - 1, Token: pair.First, Weight: pair.Second))).Order();
        var found = batches.SelectMany(batch => batch.Targets.Select(target => (Source: batch.Ids[target.Source], target.Token, target.Weight))).Order();
        return wanted.SequenceEqual(found) && batches.SelectMany(batch => batch.Ids).SequenceEqual(examples.SelectMany(example => example.Ids));
    }

    [Fact]
    public void Pack_KeepsEveryTokenAndTargetOnce() => Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(shapes =>
    {
        var examples = Make(shapes);
        var batch = Batch.Pack(examples);
        return HoldsEverythingOnce(examples, [batch])
            && batch.Segments.Zip(examples).All(pair =>
                pair.First.Parent == -1
                && batch.Ids.AsSpan(pair.First.Start, pair.First.Length).SequenceEqual(pair.Second.Ids)
                && batch.Positions.AsSpan(pair.First.Start, pair.First.Length).SequenceEqual(Enumerable.Range(0, pair.First.Length).ToArray()));
    }));

    [Fact]
    public void StepBatch_KeepsEverythingAndTheBudget() => Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte>((shapes, budget) =>
    {
        var examples = Make(shapes);
        var step = StepBatch.Create(examples, 1 + budget);
        return HoldsEverythingOnce(examples, step.MicroBatches)
            && step.MicroBatches.All(batch => batch.Segments.Length == 1 || batch.Ids.Length <= 1 + budget)
            && Math.Abs(step.TotalWeight - Batch.Pack(examples).TotalWeight) < 1e-9;
    }));
}
