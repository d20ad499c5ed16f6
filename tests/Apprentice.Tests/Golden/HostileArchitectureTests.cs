using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Architectures;
using Apprentice.Models.Export;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Tests.Models.Weights;
using Xunit.Abstractions;

namespace Apprentice.Tests.Golden;

/// <summary>Each setting of each architecture with senseless values: the model opens and runs, or is refused with a message.</summary>
[Trait("Category", "Hostile")]
public sealed class HostileArchitectureTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string[] Values = ["null", "0", "-1", "1", "3", "16777216", "1e300", "0.3", "\"x\"", "true", "[]", "[1,0]", "{}"];

    private readonly ScratchFolder _scratch = new();
    private readonly List<string> _unsound = [];
    private readonly Engine _engine = new(1);

    public void Dispose()
    {
        _engine.Dispose();
        _scratch.Dispose();
    }

    [SkippableFact]
    public void Configurations()
    {
        var (refused, opened) = (0, 0);
        foreach (var folder in ArchitectureGoldenTests.Folders())
        {
            foreach (var file in Directory.GetFiles(folder, "config*.json"))
            {
                var text = File.ReadAllText(file);
                foreach (var path in Paths(JsonNode.Parse(text)!.AsObject()))
                {
                    foreach (var value in Values)
                    {
                        var config = JsonNode.Parse(text)!.AsObject();
                        var parent = path[..^1].Aggregate(config, (node, name) => node[name]!.AsObject());
                        parent[path[^1]] = JsonNode.Parse(value);
                        File.WriteAllText(_scratch.File("config.json"), config.ToJsonString());
                        if (Try($"{Path.GetFileName(folder)}: {string.Join('.', path)} = {value}", () => ArchitectureGoldenTests.Open(folder, _scratch.File("config.json"))))
                        {
                            opened++;
                        }
                        else
                        {
                            refused++;
                        }
                    }
                }
            }
        }

        output.WriteLine($"{refused} refused, {opened} opened and run");
        Assert.True(_unsound.Count == 0, string.Join('\n', _unsound));
    }

    [SkippableFact]
    public void Gguf_metadata()
    {
        object[] values = [0u, 1u, 3u, uint.MaxValue, -1, 0.3f, float.NaN, float.PositiveInfinity, "x", "longrope", true, new[] { true, false }, new[] { 1u }];
        var (refused, opened) = (0, 0);
        foreach (var folder in ArchitectureGoldenTests.Folders())
        {
            using var model = ArchitectureGoldenTests.Open(folder);
            if (Record.Exception(model.ToGguf) is NotSupportedException)
            {
                continue;
            }

            var architecture = model.ToGguf();
            var tensors = model.Weights
                .Select(w => Tensor(architecture.Mapping.Translate(w.Key)!, w.Value.Shape, w.Value.ToArray()))
                .Concat(architecture.Tensors.Select(t => Tensor(t.Name, [t.Values.Length], t.Values))).ToArray();
            var scaling = $"{architecture.Metadata[0].Value}.rope.scaling";
            foreach (var key in architecture.Metadata.Select(m => m.Key).Skip(1).Append($"{scaling}.type").Append($"{scaling}.factor"))
            {
                foreach (var value in values)
                {
                    var file = _scratch.File("model.gguf");
                    using (var stream = File.Create(file))
                    {
                        GgufWriter.Write(stream, architecture.Metadata.Where(m => m.Key != key).Append((key, value)), tensors);
                    }

                    if (Try($"{Path.GetFileName(folder)}: {key} = {value}", () => ModelLoader.Open(ModelReference.Resolve(file))))
                    {
                        opened++;
                    }
                    else
                    {
                        refused++;
                    }
                }
            }
        }

        output.WriteLine($"{refused} refused, {opened} opened and run");
        Assert.True(_unsound.Count == 0, string.Join('\n', _unsound));
    }

    private bool Try(string what, Func<LanguageModel> open)
    {
        try
        {
            using var model = open();
            ArchitectureGoldenTests.Logits(model, _engine, [1, 2, 0]);
            return true;
        }
        catch (InputException)
        {
            return false;
        }
        catch (Exception e)
        {
            _unsound.Add($"{what}: {e.GetType().Name} {e.Message}");
            return false;
        }
    }

    private static IEnumerable<string[]> Paths(JsonObject config) => config.SelectMany(
        field => field.Value is JsonObject inner ? [[field.Key], .. Paths(inner).Select(rest => (string[])[field.Key, .. rest])] : (string[][])[[field.Key]]);

    private static GgufTensor Tensor(string name, IReadOnlyList<long> shape, float[] values) =>
        new(name, shape, GgmlType.All[0], stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())));
}
