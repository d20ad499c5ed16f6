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

    /// <summary>Examples of few different tokens in a few stock phrases, so that many begin alike, or are the same.</summary>
    private static TokenizedExample[] MakeAlike(IEnumerable<byte> shapes) =>
    [
        .. shapes.Select(shape =>
        {
            int[] ids = [.. Enumerable.Range(0, 9 + (shape % 3 * 5)), .. Enumerable.Repeat(shape / 3 % 4, shape / 12 % 12), 99];
            return new TokenizedExample(ids, [.. ids.Select((_, i) => (i + shape) % 3 == 0 ? 0f : 1 + i)]);
        }),
    ];

    /// <summary>Every example can be read off the tree from root to leaf, at its positions, with its targets in place.</summary>
    private static bool IsReadOff(TokenizedExample example, Batch batch, int e)
    {
        return batch.Segments.Select((_, s) => Chain(batch, s)).Append([]).Any(rows =>
            rows.Length >= example.Ids.Length
            && rows.Take(example.Ids.Length).Select(row => batch.Ids[row]).SequenceEqual(example.Ids)
            && rows.Select(row => batch.Positions[row]).SequenceEqual(Enumerable.Range(0, rows.Length))
            && batch.Targets.Where(target => target.Example == e).SequenceEqual(
                example.Ids.Select((id, i) => (id, i)).Where(t => t.i > 0 && example.Weights[t.i] != 0)
                    .Select(t => new Target(rows[t.i - 1], t.id, example.Weights[t.i], e))));
    }

    private static int[] Chain(Batch batch, int segment) =>
        segment < 0 ? [] : [.. Chain(batch, batch.Segments[segment].Parent), .. Enumerable.Range(batch.Segments[segment].Start, batch.Segments[segment].Length)];

    [Fact]
    public void Pack_SharesPrefixesWithoutLosingAnything() => Check.QuickThrowOnFailure(Prop.ForAll<byte[]>(shapes =>
    {
        var examples = MakeAlike(shapes);
        var batch = Batch.Pack(examples, sharePrefixes: true);
        return examples.Select((example, e) => IsReadOff(example, batch, e)).All(found => found)
            && batch.ExampleTokens == examples.Sum(example => example.Ids.Length)
            && batch.Segments.Select(segment => segment.Start).Append(batch.Ids.Length).SequenceEqual(
                batch.Segments.Select(segment => segment.Start + segment.Length).Prepend(0));
    }));

    [Fact]
    public void Pack_SharesWhatIsLongEnough()
    {
        var examples = MakeAlike([0, 0, 12 * 3, 2]); // twice the same; three more tokens before the end; ten more in the phrase
        Assert.Equal([10, 10, 13, 20], examples.Select(example => example.Ids.Length));
        var batch = Batch.Pack(examples, sharePrefixes: true);
        Assert.Equal(-1, batch.Segments[0].Parent);
        Assert.Equal(9, batch.Segments[0].Length);
        Assert.True(batch.Segments.Skip(1).All(segment => segment.Parent == 0));
        Assert.Equal(4, batch.Segments.Skip(1).Count());
    }

    [Fact]
    public void StepBatch_CountsSharedTokensOnce() => Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte>((shapes, budget) =>
    {
        var examples = MakeAlike(shapes);
        var step = StepBatch.Create(examples, 1 + budget, sharePrefixes: true);
        var counts = step.MicroBatches.Select(batch => batch.Targets.Max(target => target.Example) + 1).ToArray();
        return counts.Sum() == examples.Length
            && step.MicroBatches.Sum(batch => batch.ExampleTokens) == examples.Sum(example => example.Ids.Length)
            && step.MicroBatches.Zip(counts).All(pair => pair.Second == 1 || pair.First.Ids.Length <= 1 + budget)
            && step.MicroBatches.Count <= StepBatch.Create(examples, 1 + budget).MicroBatches.Count
            && Math.Abs(step.TotalWeight - Batch.Pack(examples).TotalWeight) < 1e-6;
    }));
}
