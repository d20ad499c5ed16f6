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
        string Lines(string validation, ulong seed) => string.Join(',', ValidationSource.Apply(validation, dataset, seed).Validation.Select(example => example.Line));
        Assert.Equal(20, ValidationSource.Apply("0.1", dataset, 1).Validation.Count);
        Assert.Equal(Lines("0.1", 1), Lines("10%", 1));
        Assert.Equal(Lines("0.1", 1), Lines("20", 1));
        Assert.NotEqual(Lines("20", 1), Lines("20", 2));
        Assert.Empty(ValidationSource.Apply("none", dataset, 1).Validation);
    }

    [Fact]
    public void AddingRows_MovesNoOneToTheOtherSide()
    {
        var few = Split.ByFraction(Make(Enumerable.Range(0, 100).Select(i => $"p{i}")).Examples, 0.2, 5);
        var more = Split.ByFraction(Make(Enumerable.Range(0, 110).Select(i => $"p{i}")).Examples, 0.2, 5);
        Assert.True(few.Validation.Count(example => more.Train.Contains(example)) <= 5);
    }

    [Theory]
    [InlineData("3")]
    [InlineData("0")]
    [InlineData("1.5")]
    [InlineData("0.0")]
    [InlineData("no-such-file.jsonl")]
    public void WhatCannotBeHeldOut_IsAnError(string validation) =>
        Assert.Throws<InputException>(() => ValidationSource.Apply(validation, Make(["a", "b", "c"]), 1));

    [Fact]
    public void OneInputOnly_IsAnError() => Assert.Throws<InputException>(() => ValidationSource.Apply("1", Make(["a", "a", "a"]), 1));
}
