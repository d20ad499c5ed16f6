using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Weights;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Layers;

public sealed class LoraAdapterTests
{
    private static readonly PeftConfig Config = new()
    {
        Rank = 3, Alpha = 6, TargetModules = ["q_proj", "down_proj"], RankPattern = new([new("down_proj", 2)]),
    };

    [Fact]
    public void It_begins_the_same_for_the_same_seed_and_changes_nothing()
    {
        using var model = TinyModel.Make();
        var (one, same, other) = (LoraAdapter.Create(model, Config, 7), LoraAdapter.Create(model, Config, 7), LoraAdapter.Create(model, Config, 8));
        Assert.Equal(Values(one), Values(same));
        Assert.NotEqual(Values(one), Values(other));
        foreach (var module in one.Modules)
        {
            var pair = one.For(module)!;
            var bound = 1 / Math.Sqrt(pair.A.Columns);
            Assert.All(pair.A.ToArray(), a => Assert.InRange(a, -bound, bound));
            Assert.All(pair.B.ToArray(), b => Assert.Equal(0, b));
        }

        Assert.Equal(["q_proj", "down_proj", "q_proj", "down_proj"], one.Modules.Select(m => m[(m.LastIndexOf('.') + 1)..]));
        Assert.Equal((3, 2), (one.For("model.layers.0.self_attn.q_proj")!.A.Rows, one.For("model.layers.1.mlp.down_proj")!.A.Rows));
        Assert.Null(one.For("model.layers.0.self_attn.k_proj"));
    }

    [Fact]
    public void Written_and_read_back_it_is_the_same()
    {
        using var scratch = new ScratchFolder();
        using var model = TinyModel.Make();
        var adapter = LoraAdapter.Create(model, Config, 7);
        foreach (var weight in adapter.Weights)
        {
            weight.SetValues([.. weight.ToArray().Select((v, i) => v + i * 0.25f)]);
        }

        adapter.Save(scratch.Path, "some/base");
        var read = LoraAdapter.Load(model, scratch.Path);
        Assert.Equal(Values(adapter), Values(read));
        Assert.Equal("some/base", read.Config.BaseModel);
        Assert.All(adapter.Modules, m => Assert.Equal(adapter.For(m)!.Scale, read.For(m)!.Scale));
        Assert.All(read.Weights, w => Assert.False(w.Trainable));
        Assert.All(LoraAdapter.Load(model, scratch.Path, trainable: true).Weights, w => Assert.True(w.Trainable));
    }

    [Fact]
    public void Another_base_is_refused()
    {
        using var scratch = new ScratchFolder();
        using var model = TinyModel.Make();
        LoraAdapter.Create(model, Config, 7).Save(scratch.Path, "base");
        using var wider = TinyModel.Make(TinyModel.Config with { FeedForward = 32 });
        var error = Assert.Throws<InputException>(() => LoraAdapter.Load(wider, scratch.Path));
        Assert.Equal("adapter_mismatch", error.Code);
        Assert.Contains("down_proj", error.Message, StringComparison.Ordinal);
        using var shorter = TinyModel.Make(TinyModel.Config with { Layers = 1 });
        Assert.Contains("layers.1", Assert.Throws<InputException>(() => LoraAdapter.Load(shorter, scratch.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Targets_that_the_model_does_not_have_are_refused_with_those_it_has()
    {
        using var model = TinyModel.Make();
        var error = Assert.Throws<InputException>(() => LoraAdapter.Create(model, Config with { TargetModules = ["c_attn"] }, 1));
        Assert.Equal("no_targets", error.Code);
        Assert.Contains("q_proj", error.Hint, StringComparison.Ordinal);
    }

    private static float[][] Values(LoraAdapter adapter) => [.. adapter.Weights.Select(w => w.ToArray())];
}
