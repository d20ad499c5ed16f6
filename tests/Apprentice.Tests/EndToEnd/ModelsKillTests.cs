using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Hub;

namespace Apprentice.Tests.EndToEnd;

/// <summary>Processes that add models, killed or many at once: the list is whole, and a download goes on.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ModelsKillTests : IDisposable
{
    private static readonly byte[] Gguf = TinyModel.Gguf();
    private readonly Workplace work = new();

    public void Dispose() => work.Dispose();

    [SkippableFact]
    public async Task A_download_that_is_killed_ten_times_ends_with_the_right_file()
    {
        var file = new ServedFile(Gguf);
        using var server = new RawServer(request => file.Answer(request) with { Pause = TimeSpan.FromMilliseconds(5) });
        var part = Path.Combine(work.Home, "models", ".part-tiny", "tiny.gguf.part");
        var has = 0L;
        for (var kill = 0; kill < 10; kill++)
        {
            using var cli = work.Start("models add", $"{server.Address}tiny.gguf");
            while (Length(part) < has + 1)
            {
                Assert.False(File.Exists(Path.Combine(work.Home, "models.json")), "it came to its end before it was killed");
                await Task.Delay(2);
            }

            cli.Kill();
            Assert.Equal(128 + 9, (await cli.WaitAsync()).Exit);
            has = Length(part);
        }

        var added = await work.Done("models add", $"{server.Address}tiny.gguf");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Gguf)), added.GetProperty("sha256").GetString());
        Assert.Equal(Gguf, File.ReadAllBytes(added.GetProperty("path").GetString()!));
        Assert.True(server.Requests.Count(r => r.From > 0) >= 9, "it went on each time");
        Assert.Empty(ModelDownload.Unfinished(new ModelRegistry(work.Home)));
    }

    [SkippableFact]
    public async Task The_list_is_whole_whenever_a_process_is_killed()
    {
        new ModelRegistry(work.Home).Add(RegisteredModel.Of("first", work.In("m")));
        for (var i = 0; i < 6; i++)
        {
            using var cli = work.Start($"models add m --name n{i}");
            await Task.Delay(150 + 40 * i);
            try
            {
                cli.Kill();
            }
            catch (InvalidOperationException)
            {
                // It was faster.
            }

            await cli.WaitAsync();
            Assert.Contains("first", new ModelRegistry(work.Home).List().Select(m => m.Name));
        }

        Assert.Equal("last", (await work.Done("models add m --name last")).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Processes_that_add_at_once_lose_nothing()
    {
        using var server = new RawServer(new ServedFile(Gguf).Answer);
        var runs = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => i % 2 == 0 ? work.Done($"models add m --name n{i}") : work.Done("models add", $"{server.Address}tiny.gguf", "--name", $"n{i}")));
        Assert.Equal(["n0", "n1", "n2", "n3", "n4", "n5"], runs.Select(r => r.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal(6, new ModelRegistry(work.Home).List().Count);
        Assert.NotNull(JsonNode.Parse(File.ReadAllText(Path.Combine(work.Home, "models.json"))));
    }

    private static long Length(string file) => File.Exists(file) ? new FileInfo(file).Length : 0;
}
