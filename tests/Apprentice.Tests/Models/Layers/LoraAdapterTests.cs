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

    [Fact]
    public void Magnitudes_saved_modules_and_embeddings_are_written_and_read_back()
    {
        using var scratch = new ScratchFolder();
        using var model = TinyModel.Make(TinyModel.Config with { AttentionBias = true });
        foreach (var config in new[]
        {
            Config with { UseDora = true, ModulesToSave = ["norm", "lm_head"] },
            Config with { Bias = BiasTraining.LoraOnly, TargetModules = ["embed_tokens", "q_proj"] },
            Config with { Bias = BiasTraining.All },
        })
        {
            var adapter = LoraAdapter.Create(model, config, 7);
            foreach (var weight in adapter.Weights)
            {
                weight.SetValues([.. weight.ToArray().Select((v, i) => v + i * 0.25f)]);
            }

            adapter.Save(scratch.Path, "base");
            var read = LoraAdapter.Load(model, scratch.Path);
            Assert.Equal(adapter.Weights.Select(w => w.Name), read.Weights.Select(w => w.Name));
            Assert.Equal(Values(adapter), Values(read));
            Assert.Equal((config.UseDora, config.Bias), (read.Config.UseDora, read.Config.Bias));
            Assert.Equal(config.ModulesToSave, read.Config.ModulesToSave);
        }

        Assert.Equal(5 + 1, LoraAdapter.Create(model, Config with { ModulesToSave = ["norm", "lm_head"] }, 1).Saved.Count); // two norms a layer, the last one; the head, which is the embedding, becomes one of its own
        Assert.Equal(2, LoraAdapter.Create(model, Config with { Bias = BiasTraining.LoraOnly }, 1).Saved.Count); // q_proj has a bias, down_proj has none
        Assert.Equal(8, LoraAdapter.Create(model, Config with { Bias = BiasTraining.All }, 1).Saved.Count);
    }

    [Fact]
    public void The_learning_rate_of_B_and_of_vectors_is_multiplied_under_LoRA_plus()
    {
        using var model = TinyModel.Make();
        var adapter = LoraAdapter.Create(model, Config with { UseDora = true, ModulesToSave = ["model.norm", "k_proj"] }, 7);
        var factors = adapter.RateFactors(16);
        Assert.All(adapter.Weights, w => Assert.Equal(w.Name.EndsWith("lora_B", StringComparison.Ordinal) || w.Name.EndsWith("vector", StringComparison.Ordinal) || w.Name == "model.norm.weight" ? 16 : 1, factors(w)));
    }

    [Fact]
    public void What_an_adapter_cannot_be_is_refused_by_name()
    {
        using var scratch = new ScratchFolder();
        using var model = TinyModel.Make();
        Refused(() => LoraAdapter.Create(model, Config with { ModulesToSave = ["score"] }, 1), "'score'");
        Refused(() => LoraAdapter.Create(model, Config with { UseDora = true, TargetModules = ["embed_tokens"] }, 1), "embed_tokens");
        Written(Config with { TargetModules = ["lm_head"] }, new("lm_head", 16, 265, SampleFiles.Fill, SampleFiles.Fill));
        Refused(() => LoraAdapter.Load(model, scratch.Path), "output projection");
        Written(Config with { ModulesToSave = ["model.norm"] }, new("model.layers.0.self_attn.q_proj", 16, 16, SampleFiles.Fill, SampleFiles.Fill), new SafetensorsTensor("model.norm.weight", [8], SampleFiles.Fill));
        Refused(() => LoraAdapter.Load(model, scratch.Path), "model.norm.weight is [8]");
        Written(Config with { ModulesToSave = ["extra"] }, new("model.layers.0.self_attn.q_proj", 16, 16, SampleFiles.Fill, SampleFiles.Fill), new SafetensorsTensor("extra.weight", [8], SampleFiles.Fill));
        Refused(() => LoraAdapter.Load(model, scratch.Path), "'extra.weight'");
        Written(Config, new("model.embed_tokens", 265, 16, SampleFiles.Fill, SampleFiles.Fill, IsEmbedding: true), new SafetensorsTensor("model.embed_tokens.weight", [265, 16], SampleFiles.Fill));
        Refused(() => LoraAdapter.Load(model, scratch.Path), "another model.embed_tokens.weight");

        void Written(PeftConfig config, PeftModuleWeights module, params SafetensorsTensor[] saved) => PeftAdapter.Write(scratch.Path, config, [module], saved);

        static void Refused(Action act, string named) => Assert.Contains(named, Assert.Throws<InputException>(act).Message, StringComparison.Ordinal);
    }

    private static float[][] Values(LoraAdapter adapter) => [.. adapter.Weights.Select(w => w.ToArray())];
}
