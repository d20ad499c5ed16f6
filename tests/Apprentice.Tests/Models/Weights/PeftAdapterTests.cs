using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Tests.Models.Weights;

public class PeftAdapterTests
{
    [Fact]
    public void WhatIsWrittenIsRead()
    {
        using var folder = new ScratchFolder();
        var config = SampleFiles.AdapterConfig;
        PeftAdapter.Write(folder.Path, config, [Module("model.layers.0.self_attn.v_proj"), Module("model.layers.1.q_proj"), Module("model.layers.0.self_attn.q_proj")]);
        var read = PeftAdapter.Open(folder.Path);
        Assert.Equal(["model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.v_proj", "model.layers.1.q_proj"], read.Modules.Select(m => m.Name));
        Assert.Equal([2, 3, 4], read.Modules.Select(m => m.Rank));
        Assert.All(read.Modules, m => Assert.Equal((6L, 4L), (m.InFeatures, m.OutFeatures)));
        Assert.Equal(1.5f, read.File.ReadFloats(read.Modules[0].A.Name)[3]);
        PeftConfigFile.Write(folder.File("again.json"), read.Config);
        Assert.Equal(File.ReadAllText(folder.File(PeftConfigFile.Name)), File.ReadAllText(folder.File("again.json")));

        static PeftModuleWeights Module(string name) => new(name, 6, 4, SampleFiles.Fill, SampleFiles.Fill);
    }

    [Fact]
    public void PatternsDecideRankAlphaAndScale()
    {
        var config = SampleFiles.AdapterConfig;
        Assert.Equal(3, config.RankOf("model.layers.0.v_proj"));
        Assert.Equal(3, config.RankOf("v_proj"));
        Assert.Equal(2, config.RankOf("model.layers.0.other_v_proj")); // no dot before the key
        Assert.Equal(4, config.RankOf("model.layers.12.q_proj"));
        Assert.Equal(2, config.RankOf("model.layers.12.mlp.q_proj"));
        Assert.Equal(2.5 / 4, config.ScaleOf("model.layers.1.q_proj"));
        Assert.Equal(8.0 / 2, config.ScaleOf("model.layers.1.k_proj"));
        Assert.Equal(2.5 / 2, (config with { UseRsLora = true }).ScaleOf("model.layers.1.q_proj"));
        Assert.Equal(1, new ModulePatterns<int>([new("a", 1), new("b.a", 2)]).Resolve("b.a", 3)); // the first key decides
    }

    [Fact]
    public void TargetsAreNamesSuffixesPatternsOrAllLayers()
    {
        var config = SampleFiles.AdapterConfig;
        Assert.True(config.Targets("model.layers.1.self_attn.q_proj"));
        Assert.False(config.Targets("model.layers.2.self_attn.q_proj")); // not a layer to transform
        Assert.False(config.Targets("model.layers.1.self_attn.k_proj"));
        Assert.False(config.Targets("lm_head.q_proj")); // no layer at all
        var all = config with { TargetPattern = PeftConfig.AllLinear, TargetModules = [], LayersToTransform = null };
        Assert.True(all.Targets("model.layers.2.mlp.up_proj"));
        Assert.True((all with { TargetPattern = @".*\.(up|down)_proj" }).Targets("model.layers.2.mlp.up_proj"));
        Assert.False((all with { TargetPattern = "up_proj" }).Targets("model.layers.2.mlp.up_proj")); // a pattern means the whole name
    }

    [Theory]
    [InlineData("""{"peft_type":"VERA","r":4}""", "VERA")]
    [InlineData("""{"peft_type":"LORA","use_dora":1}""", "use_dora")]
    [InlineData("""{"peft_type":"LORA","bias":"some"}""", "bias")]
    [InlineData("""{"peft_type":"LORA","modules_to_save":[""]}""", "modules_to_save")]
    [InlineData("""{"peft_type":"LORA","lora_bias":true}""", "lora_bias")]
    [InlineData("""{"peft_type":"LORA","init_lora_weights":"pissa_niter_4"}""", "pissa_niter_4")]
    [InlineData("""{"peft_type":"LORA","r":0}""", "'r'")]
    [InlineData("""{"peft_type":"LORA","r":2.5}""", "'r'")]
    [InlineData("""{"peft_type":"LORA","lora_alpha":"8"}""", "lora_alpha")]
    [InlineData("""{"peft_type":"LORA","target_modules":[1]}""", "target_modules")]
    [InlineData("""{"peft_type":"LORA","target_modules":3}""", "target_modules")]
    [InlineData("""{"peft_type":"LORA","rank_pattern":{"a(":1}}""", "a(")]
    [InlineData("""{"peft_type":"LORA","r":1,"r":2}""", "r")]
    [InlineData("[]", "object")]
    [InlineData("{}", "peft_type")]
    public void WhatCannotBeIsRefusedByName(string json, string named)
    {
        using var folder = new ScratchFolder();
        var path = folder.Write(PeftConfigFile.Name, System.Text.Encoding.UTF8.GetBytes(json));
        var e = Assert.Throws<InputException>(() => PeftConfigFile.Read(path));
        Assert.Contains(named, e.Message);
        Assert.Equal(path, e.File);
    }

    [Theory]
    [InlineData("base_model.model.x.lora_A.weight", new long[] { 2, 6 }, "no lora_B")]
    [InlineData("base_model.model.x.lora_B.weight", new long[] { 4, 2 }, "not part of a LoRA pair")]
    [InlineData("x.lora_A.weight", new long[] { 2, 6 }, "does not begin with")]
    public void LoneTensorsAreRefused(string name, long[] shape, string message)
    {
        using var folder = new ScratchFolder();
        PeftConfigFile.Write(folder.File(PeftConfigFile.Name), SampleFiles.AdapterConfig);
        SafetensorsWriter.Write(folder.File(PeftAdapter.WeightsName), [new(name, shape, SampleFiles.Fill)]);
        Assert.Contains(message, Assert.Throws<InputException>(() => PeftAdapter.Open(folder.Path)).Message);
    }

    [Fact]
    public void RanksMustBeThoseOfTheConfig()
    {
        using var folder = new ScratchFolder();
        PeftAdapter.Write(folder.Path, SampleFiles.AdapterConfig, [new("x", 6, 4, SampleFiles.Fill, SampleFiles.Fill)]);
        PeftConfigFile.Write(folder.File(PeftConfigFile.Name), SampleFiles.AdapterConfig with { Rank = 3 });
        Assert.Contains("lora_A must be [3, in]", Assert.Throws<InputException>(() => PeftAdapter.Open(folder.Path)).Message);
    }

    [Fact]
    public void PickledAdaptersAreNeverOpened()
    {
        using var folder = new ScratchFolder();
        PeftConfigFile.Write(folder.File(PeftConfigFile.Name), SampleFiles.AdapterConfig);
        folder.Write("adapter_model.bin", [0x80]);
        Assert.Contains("pickled", Assert.Throws<InputException>(() => PeftAdapter.Open(folder.Path)).Message);
    }
}
