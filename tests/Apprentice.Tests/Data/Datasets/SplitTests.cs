using System.Text;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using FsCheck;
using FsCheck.Fluent;

namespace Apprentice.Tests.Data.Datasets;

public class SplitTests
{
    private static Dataset Make(IEnumerable<string> prompts) => DatasetReader.Read("d", Encoding.UTF8.GetBytes(
        string.Concat(prompts.Select((prompt, i) => $$"""{"prompt":"{{prompt}}","completion":"{{i}}"}""" + "\n"))));

    [Fact]
    public void Split_IsAPartitionThatKeepsEqualInputsTogether() => Check.QuickThrowOnFailure(Prop.ForAll<byte[], ulong, byte>((inputs, seed, count) =>
    {
        if (inputs.Length < 2)
        {
            return true;
        }

        var examples = Make(inputs.Select(input => $"p{input % 20}")).Examples;
        var held = 1 + (count % (inputs.Length - 1));
        Split split;
        try
        {
            split = Split.ByCount(examples, held, seed);
        }
        catch (InputException)
        {
            return inputs.GroupBy(input => input % 20).All(group => group.Count() > held);
        }

        return split.Train.Concat(split.Validation).OrderBy(example => example.Line).SequenceEqual(examples)
            && split.Validation.Count <= held && split.Validation.Count > 0 && split.Train.Count > 0
            && !split.Train.Select(Split.InputOf).Intersect(split.Validation.Select(Split.InputOf)).Any()
            && split.Validation.SequenceEqual(Split.ByCount(examples, held, seed).Validation);
    }));

    [Fact]
    public void DistinctInputs_GiveTheExactCount_AndSeedsDiffer()
    {
        var dataset = Make(Enumerable.Range(0, 200).Select(i => $"p{i}"));
        string Lines(ulong seed) => string.Join(',', Split.ByCount(dataset.Examples, 20, seed).Validation.Select(example => example.Line));
        Assert.Equal(20, Split.ByCount(dataset.Examples, 20, 1).Validation.Count);
        Assert.NotEqual(Lines(1), Lines(2));
    }

    [Fact]
    public void AddingRows_MovesNoOneToTheOtherSide()
    {
        var few = Split.ByCount(Make(Enumerable.Range(0, 100).Select(i => $"p{i}")).Examples, 20, 5);
        var more = Split.ByCount(Make(Enumerable.Range(0, 110).Select(i => $"p{i}")).Examples, 22, 5);
        Assert.True(few.Validation.Count(example => more.Train.Contains(example)) <= 5);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    [InlineData(-1)]
    public void WhatCannotBeHeldOut_IsAnError(int count) => Assert.Throws<InputException>(() => Split.ByCount(Make(["a", "b", "c"]).Examples, count, 1));

    [Fact]
    public void OneInputOnly_IsAnError() => Assert.Throws<InputException>(() => Split.ByCount(Make(["a", "a", "a"]).Examples, 1, 1));
}
