using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Layers;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Tensors.Autograd;
using Apprentice.Tensors.Ops;
using Xunit.Abstractions;

namespace Apprentice.Tests.EndToEnd;

/// <summary>Whole models from strangers, opened and run once: an answer or a clear error, soon, and without much memory.</summary>
[Trait("Category", "Hostile")]
public sealed class HostileModelTests(ITestOutputHelper output) : IDisposable
{
    private const int Models = 500;
    private static readonly string[] Numbers =
    [
        "0", "1", "-1", "2", "3", "7", "31", "33", "264", "266", "65536", "16777216", "2147483647", "2147483648", "4294967296",
        "9223372036854775807", "1e308", "1e400", "0.5", "-0.0", "1e-320", "null", "true", "\"x\"", "[]", "{}", "[1,2]",
    ];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("apprentice-");
    private readonly Engine engine = new(1);

    public void Dispose()
    {
        engine.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Configurations() => Attack(i =>
    {
        var config = TinyModel.Config();
        foreach (var name in new[] { "head_dim", "attention_bias", "eos_token_id", "rope_scaling", "hidden_act" })
        {
            config[name] ??= null;
        }

        var text = config.ToJsonString();
        for (var change = 0; change <= Below(2, i, 1); change++)
        {
            var field = config.ElementAt(Below(config.Count, i, 10 + change));
            var value = Below(3, i, 40) == 0 && field.Key == "rope_scaling" ? Scaling(i) : Numbers[Below(Numbers.Length, i, 20 + change)];
            text = text.Replace($"\"{field.Key}\":{field.Value?.ToJsonString() ?? "null"}", $"\"{field.Key}\":{value}", StringComparison.Ordinal);
        }

        return Folder("config.json", System.Text.Encoding.UTF8.GetBytes(text));
    });

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("model.safetensors")]
    public void Files_of_a_folder(string name)
    {
        var sound = File.ReadAllBytes(Path.Combine(Folder("config.json", null), name));
        Attack(i => Folder(name, Mutate(sound, i, Math.Min(sound.Length, 4096))));
    }

    [Fact]
    public void Gguf()
    {
        var sound = TinyModel.Gguf();
        Attack(i =>
        {
            var path = Path.Combine(folder.FullName, "m.gguf");
            File.WriteAllBytes(path, Mutate(sound, i, Below(2, i, 50) == 0 ? 700 : 9000));
            return path;
        });
    }

    private void Attack(Func<int, string> make)
    {
        Open(Folder("", null)); // compiled now, so that the first mutated one is not blamed
        var sound = 0;
        for (var i = 0; i < Models; i++)
        {
            var path = make(i);
            var (watch, before) = (ThreadClock.StartNew(), GC.GetAllocatedBytesForCurrentThread());
            try
            {
                Open(path);
                sound++;
            }
            catch (InputException)
            {
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"model {i} ends in {e.GetType().Name}: {e.Message}", e);
            }

            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 64 << 20, $"model {i} allocated {allocated} bytes");
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), $"model {i} took {watch.Elapsed}");
        }

        output.WriteLine($"{Models} models: {sound} ran, {Models - sound} were refused");
        Assert.InRange(sound, 1, Models - 1);
    }

    /// <summary>What generate does with a prompt, without its loop.</summary>
    private void Open(string path)
    {
        using var model = LoadedModel.Open(path);
        int[] ids = [.. model.RawPromptIds("the card<|end|>"), model.Text.Tokenizer.VocabularySize - 1];
        using var tape = new Tape(engine, recording: false);
        var hidden = model.Model.Forward(tape, new ForwardInput(ids, new Segments([new Segment(0, ids.Length)])));
        Assert.Equal(model.Model.Vocabulary, model.Model.Logits(tape, hidden).Columns);
        try
        {
            model.PromptIds([new JsonObject { ["role"] = "user", ["content"] = "x" }]);
        }
        catch (InputException)
        {
            // a template may be gone
        }
    }

    private string Folder(string name, byte[]? bytes)
    {
        var path = Path.Combine(folder.FullName, "m");
        TinyModel.WriteFolder(path);
        if (bytes is not null)
        {
            File.WriteAllBytes(Path.Combine(path, name), bytes);
        }

        return path;
    }

    private static string Scaling(int i) =>
        $$"""{"rope_type":"{{new[] { "linear", "dynamic", "llama3", "yarn" }[Below(4, i, 60)]}}","factor":{{Numbers[Below(19, i, 61)]}},"original_max_position_embeddings":{{Numbers[Below(14, i, 62)]}},"low_freq_factor":{{Numbers[Below(19, i, 63)]}},"beta_fast":{{Numbers[Below(19, i, 64)]}} }""";

    /// <summary>A few bytes, or whole numbers, replaced within the first part; sometimes cut off.</summary>
    private static byte[] Mutate(byte[] sound, int i, int within)
    {
        byte[] bytes = [.. sound];
        for (var change = 0; change <= Below(3, i, 1); change++)
        {
            var at = Below(Math.Min(within, bytes.Length - 8), i, 2 + change);
            switch (Below(3, i, 10 + change))
            {
                case 0:
                    bytes[at] = (byte)Below(256, i, 20 + change);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << Below(8, i, 20 + change));
                    break;
                default:
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), new uint[] { 0, 1, 3, 255, 65536, int.MaxValue, uint.MaxValue }[Below(7, i, 20 + change)]);
                    break;
            }
        }

        return Below(10, i, 30) == 0 ? bytes[..Below(bytes.Length, i, 31)] : bytes;
    }

    private static int Below(int bound, int model, int position) =>
        new CounterRandom(7, RandomStream.Sampling, (ulong)model).Below(bound, (ulong)position);
}
