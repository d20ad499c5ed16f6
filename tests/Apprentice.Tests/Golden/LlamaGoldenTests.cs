using System.Text.Json;
using Apprentice.Models.Architectures;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Small random Llamas as they lie in files; what they compute is checked with all architectures.</summary>
[Trait("Category", "Golden")]
public class LlamaGoldenTests(ITestOutputHelper output)
{
    /// <summary>A GGUF file whose tensors are of many types, against transformers on the widened weights.</summary>
    [SkippableFact]
    public void Gguf_of_mixed_types_gives_the_logits_of_its_widened_weights()
    {
        var folder = GoldenData.RequireFolder("gguf/tiny-llama");
        using var engine = new Engine(2);
        using var gguf = ModelLoader.Open(ModelReference.Resolve(Directory.GetFiles(folder, "*.gguf").Single()));
        using var hf = ArchitectureGoldenTests.Open(Path.Combine(folder, "hf"));
        var prompts = GoldenJson.Read(folder, "expected.json").GetProperty("prompts").EnumerateArray().ToArray();
        for (var i = 0; i < prompts.Length; i++)
        {
            var expected = File.ReadAllBytes(Path.Combine(folder, $"logits{i}.f32")).Chunk(4).Select(b => BitConverter.ToSingle(b)).ToArray();
            foreach (var model in new[] { gguf, hf })
            {
                using var tape = new Tape(engine, recording: false);
                var ids = prompts[i].GetProperty("ids").Ints();
                var hidden = model.Forward(tape, new ForwardInput(ids, new Segments(new Segment(0, ids.Length))));
                Assert.Empty(ArchitectureGoldenTests.Compare($"prompt {i}", model.Logits(tape, hidden).ToArray(), expected, 1e-3));
            }
        }

        output.WriteLine($"{prompts.Length} prompts passed, from GGUF and from the widened folder");
    }

    /// <summary>The same weights in one file and in shards with an index.</summary>
    [SkippableFact]
    public void Shards_are_one_model()
    {
        var folder = Directory.GetDirectories(GoldenData.RequireFolder("models")).Where(f => ArchitectureGoldenTests.IsOf(f, type => type == "llama")).Order().First();
        var shards = Directory.CreateTempSubdirectory("shards").FullName;
        var file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        var names = file.Tensors.Select(t => t.Name).ToArray();
        string Shard(int i) => $"model-{i % 2 + 1:D5}-of-00002.safetensors";
        for (var s = 0; s < 2; s++)
        {
            SafetensorsWriter.Write(Path.Combine(shards, Shard(s)), names.Where((_, i) => i % 2 == s).Select(n => new SafetensorsTensor(n, file.Find(n)!.Shape, file.ReadFloats(n))));
        }

        File.WriteAllText(Path.Combine(shards, "model.safetensors.index.json"), JsonSerializer.Serialize(new { weight_map = names.Select((n, i) => (n, i)).ToDictionary(p => p.n, p => Shard(p.i)) }));
        var config = DecoderConfig.From(ModelConfig.Open(Path.Combine(folder, "config.json")));
        using (var one = new Llama(config, new SafetensorsSource(folder)))
        using (var many = new Llama(config, new SafetensorsSource(shards)))
        {
            Assert.Equal(2, many.Source.Files.Count);
            Assert.All(one.Weights, w => Assert.Equal(w.Value.ToArray(), many.Weights[w.Key].ToArray()));
        }

        Directory.Delete(shards, recursive: true);
    }
}
