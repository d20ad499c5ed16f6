using System.Security.Cryptography;
using System.Text.Json;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Hub;

namespace Apprentice.Tests.EndToEnd;

/// <summary>models add, list and rm, and the names in every command.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ModelsTests : IDisposable
{
    private static readonly byte[] Gguf = TinyModel.Gguf();
    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Gguf));
    private readonly Workplace work = new();

    public ModelsTests() => File.WriteAllBytes(work.In("m.gguf"), Gguf);

    public void Dispose() => work.Dispose();

    [Fact]
    public async Task What_lies_here_gets_a_name_and_stays_where_it_is()
    {
        var added = await work.Done("models add m.gguf --name smol --sha256", Hash.ToUpperInvariant());
        Assert.Equal(("smol", "gguf", "llama", work.In("m.gguf"), Hash, false), (
            Text(added, "name"), Text(added, "kind"), Text(added, "architecture"), Text(added, "path"), Text(added, "sha256"), added.GetProperty("owned").GetBoolean()));
        Assert.Equal("m", Text(await work.Done("models add m/"), "name"));
        var listed = (await work.Done("models list")).GetProperty("models");
        Assert.Equal(["m", "smol"], listed.EnumerateArray().Select(m => Text(m, "name")));

        File.Delete(work.In("m.gguf"));
        var table = (await work.Run("models list")).Output;
        Assert.Matches(@"m\s+folder, llama\s+\d+k\s+\d+ kB\s+/.*/m\s+\d{4}-", table);
        Assert.Matches(@"smol\s+gguf, llama.*gone: /", table);
        Assert.Contains("apprentice models rm smol", await work.Refused("generate --model smol --prompt x"), StringComparison.Ordinal);
        Assert.Contains("gone already", (await work.Run("models rm smol")).Output, StringComparison.Ordinal);
        Assert.Contains("its files stay", (await work.Run("models rm m")).Output, StringComparison.Ordinal);
        Assert.True(File.Exists(work.In("m/config.json")));
        Assert.Contains("but for base, which is built in", (await work.Run("models list")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models add gone.gguf", "there is no such file or folder")]
    [InlineData("models add owner/name", "hf:owner/name")]
    [InlineData("models add bank.jsonl", "not a GGUF file")]
    [InlineData("models add .", "this folder is no model")]
    [InlineData("models add tok", "no config.json that names a model_type")]
    [InlineData("models add base", "built in")]
    [InlineData("models add m --name base", "built-in model")]
    [InlineData("models add m --name ../m", "no name for a model")]
    [InlineData("models add m --sha256 12", "64 hexadecimal digits")]
    [InlineData("models add m --sha256 0000000000000000000000000000000000000000000000000000000000000000", "this is a folder")]
    [InlineData("models add m.gguf --sha256 0000000000000000000000000000000000000000000000000000000000000000", "its SHA-256 is")]
    [InlineData("models add m --max-size 0", "at least 1")]
    [InlineData("models add http://example.com/m.gguf", "https://")]
    [InlineData("models add hf:nothing", "hf:owner/name")]
    [InlineData("models rm smal", "did you mean 'smol'?")]
    [InlineData("models add m.gguf --name smol", "--force")]
    public async Task What_is_no_model_or_no_name_is_refused(string command, string said)
    {
        Directory.CreateDirectory(work.In("tok"));
        File.Copy(work.In("m/tokenizer.json"), work.In("tok/tokenizer.json"));
        new ModelRegistry(work.Home).Add(RegisteredModel.Of("smol", work.In("m")));
        Assert.Contains(said, await work.Refused(command), StringComparison.Ordinal);
        Assert.Equal("smol", Assert.Single(new ModelRegistry(work.Home).List()).Name);
    }

    /// <summary>From another folder than that in which it was made, and with an adapter whose base is named by its registered name.</summary>
    [Fact]
    public async Task Every_command_takes_a_name()
    {
        await work.Done("models add m.gguf --name smol");
        var trained = await work.Done("train --model smol --data bank.jsonl --out r --max-steps 2 --validation none --suffix tickets --system Short.");
        var id = Text(trained, "model")!;
        Assert.Matches("^ft:smol:tickets:[a-z2-7]{8}$", id);
        var elsewhere = Directory.CreateDirectory(work.In("else")).FullName;
        File.Copy(work.In("bank.jsonl"), Path.Combine(elsewhere, "bank.jsonl"));
        foreach (var command in new[]
        {
            $"generate --model {id} --prompt Hello --max-tokens 2", "generate --model smol --prompt Hello --max-tokens 2", $"generate --model smol --adapter {id} --prompt Hello --max-tokens 2",
            $"chat --model {id} --max-tokens 2", $"evaluate --model {id} --data bank.jsonl --max-tokens 2", $"tokenize --model {id} --text Hello",
            $"models show {id}", "models show smol", $"export {id} --out r.gguf", $"export {id} --format peft --out r", "train --model smol --data bank.jsonl --max-steps 1", "resume runs/bank", "quickstart --model smol --max-steps 1 --help",
        })
        {
            using var cli = CliProcess.Start([.. command.Split(' '), .. command.EndsWith("--help", StringComparison.Ordinal) ? [] : new[] { "--json" }], work.Environment, elsewhere, input: "Hi\n");
            var run = await cli.WaitAsync();
            Assert.True(run.Exit == 0, $"{command}: exit {run.Exit}\n{run.Output}\n{run.Error}");
        }

        // The system message that the run was trained with, which is only found where the name leads to the run.
        using var chat = CliProcess.Start(["chat", "--model", id, "--max-tokens", "2", "--json"], work.Environment, elsewhere, input: "Hi\n");
        Assert.Contains("Short.", (await chat.WaitAsync()).Output, StringComparison.Ordinal);

        var shown = await work.Done($"models show {id}");
        Assert.Equal((id, "succeeded"), (Text(shown.GetProperty("registered")[0], "name"), Text(shown.GetProperty("run"), "status")));
        Assert.Equal(id, Text((await work.Done("models show r")).GetProperty("registered")[0], "name"));
        var serving = (await work.Run("models show smol")).Output;
        Assert.Matches(@"serving: \d+ MB with 8, \d+ MB with 64 of them at once", serving);
        Assert.Contains($"registered     {work.In("m.gguf")}, ", serving, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_says_how_far_it_is_and_rm_deletes_it()
    {
        using var server = new RawServer(new ServedFile(Gguf).Answer);
        var added = await work.Run("models add", $"{server.Address}tiny.gguf", "--json");
        Assert.Equal((0, $"{server.Address}tiny.gguf", Hash), (added.Exit, Text(added.Json, "source"), Text(added.Json, "sha256")));
        Assert.Matches(@"^tiny\.gguf  100%  136 kB of 136 kB  \d+\.\d MB/s$", added.Error.TrimEnd().Split('\n')[^1]);
        Assert.Equal(0, (await work.Run("generate --model tiny --prompt Hello --max-tokens 2")).Exit);
        var shown = (await work.Run("models show tiny")).Output;
        Assert.Matches($@"source +{server.Address}tiny.gguf", shown);
        Assert.Matches($"sha-256 +{Hash}", shown);
        Assert.Contains("its files are deleted (136 kB)", (await work.Run("models rm tiny")).Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(work.Home, "models")));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_alone_and_is_never_shown()
    {
        using var other = new RawServer(new ServedFile(Gguf).Answer);
        using var hub = new RawServer(request => request.Target.StartsWith("/api/", StringComparison.Ordinal)
            ? new RawAnswer(200, JsonSerializer.SerializeToUtf8Bytes(new { siblings = new[] { new { rfilename = "tiny.gguf" } } }))
            : request.Target.Contains("refused", StringComparison.Ordinal) ? new RawAnswer(401, []) : RawAnswer.Redirect($"{other.Address}tiny.gguf", ("X-Linked-Etag", $"\"{Hash}\"")));
        var environment = work.Environment;
        (environment["HF_ENDPOINT"], environment["HF_TOKEN"], environment["APPRENTICE_DEBUG"]) = (hub.Address.AbsoluteUri, "hf_secret", "1");
        var (said, exits) = ("", new List<int>());
        foreach (var source in new[] { "hf:acme/tiny", $"{hub.Address}refused.gguf", "hf:acme/none:none" })
        {
            using var cli = work.Start("models add", environment, source);
            var run = await cli.WaitAsync();
            said += run.Output + run.Error;
            exits.Add(run.Exit);
        }

        Assert.Equal([0, 2, 2], exits);
        Assert.All(hub.Requests, r => Assert.Equal("Bearer hf_secret", r.Header("Authorization")));
        Assert.Null(Assert.Single(other.Requests).Header("Authorization"));
        Assert.DoesNotContain("hf_secret", said + string.Concat(Directory.GetFiles(work.Home, "*.json", SearchOption.AllDirectories).Select(File.ReadAllText)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxies_are_those_of_the_environment()
    {
        using var proxy = new RawServer(new ServedFile(Gguf).Answer);
        var environment = work.Environment;
        (environment["http_proxy"], environment["NO_PROXY"], environment["no_proxy"]) = (proxy.Address.AbsoluteUri, "", "");
        using var cli = work.Start("models add", environment, "http://localhost:9/tiny.gguf");
        var run = await cli.WaitAsync();
        Assert.True(run.Exit == 0, run.Error);
        Assert.Equal("http://localhost:9/tiny.gguf", Assert.Single(proxy.Requests).Target);
    }

    [Fact]
    public async Task An_unfinished_download_is_listed_and_removed()
    {
        var file = new ServedFile(Gguf);
        using var server = new RawServer(request => request.From is null ? file.Answer(request) with { CutAfter = 10_000 } : new RawAnswer(403, []));
        var refused = await work.Run("models add", $"{server.Address}tiny.gguf");
        Assert.Equal(2, refused.Exit);
        Assert.Contains("error: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("does not let this be read", refused.Error, StringComparison.Ordinal);
        Assert.Contains("unfinished download of tiny: 10 kB", (await work.Run("models list")).Output, StringComparison.Ordinal);
        Assert.Contains("the unfinished download of tiny is deleted", (await work.Run("models rm tiny")).Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(work.Home, "models")));
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();
}
