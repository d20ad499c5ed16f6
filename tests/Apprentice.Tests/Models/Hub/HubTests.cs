using System.Net;
using System.Text;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Hub;

/// <summary>Repositories of a hub: which files are taken, what of their names, and to whom the token goes.</summary>
public sealed class HubTests : IDisposable
{
    private static readonly byte[] Gguf = EndToEnd.TinyModel.Gguf();
    private readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task The_only_gguf_file_is_taken_with_the_hash_that_the_hub_says()
    {
        var hub = new TestHub().With("README.md", [1, 2, 3]).With("gguf/Tiny-Q8_0.gguf", Gguf).With("mmproj-Tiny.gguf", [1]);
        var model = await Add(hub, "hf:acme/tiny");
        Assert.Equal(("Tiny-Q8_0", "hf:acme/tiny:gguf/Tiny-Q8_0.gguf", TestHub.HashOf(Gguf)), (model.Name, model.Source, model.Sha256));
        Assert.Equal(Gguf, File.ReadAllBytes(model.Path));
        Assert.Contains($"https://hub.test/acme/tiny/resolve/{TestHub.Commit}/gguf/Tiny-Q8_0.gguf", hub.Asked.Select(a => a.Address));
    }

    [Fact]
    public async Task Of_several_one_must_be_named_by_its_file_or_by_a_part_of_it()
    {
        var hub = new TestHub().With("Tiny-Q8_0.gguf", Gguf).With("Tiny-Q4_K_M.gguf", new byte[1_500_000]).With("big-00001-of-00002.gguf", [1]);
        var error = await Refused(hub, "several_models", "hf:acme/tiny");
        Assert.Equal("the repository has 2 GGUF files: Tiny-Q8_0.gguf (0.14 MB), Tiny-Q4_K_M.gguf (1.5 MB)", error.Message);
        Assert.EndsWith("hf:acme/tiny:Tiny-Q8_0.gguf", error.Hint, StringComparison.Ordinal);
        Assert.Contains("Tiny-Q8_0.gguf", (await Refused(hub, "address_not_found", "hf:acme/tiny:Q5_0")).Hint, StringComparison.Ordinal);
        await Refused(hub, "several_models", "hf:acme/tiny:tiny");
        Assert.Equal("q8", (await Add(hub, "hf:acme/tiny:q8_0", "q8")).Name);
        Assert.Equal("whole", (await Add(hub, "hf:acme/tiny:Tiny-Q8_0.gguf", "whole")).Name);
    }

    [Fact]
    public async Task A_folder_is_taken_with_its_shards_and_without_what_is_not_needed()
    {
        var folder = TinyModel.Folder(scratch);
        var hub = new TestHub().With("pytorch_model.bin", [1]).With("onnx/model.safetensors", [1]).With("README.md", "---\nlicense: mit\n---"u8.ToArray()).With("run.py", [1]).With("model-00001-of-00009.safetensors", [1]);
        foreach (var file in Directory.GetFiles(folder))
        {
            hub.With(Path.GetFileName(file), File.ReadAllBytes(file));
        }

        var model = await Add(hub, "hf:acme/tiny-llama");
        Assert.Equal(("tiny-llama", "folder", "llama", "mit", null), (model.Name, model.Kind, model.Architecture, model.License, model.Sha256));
        Assert.Equal(["README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"], Directory.GetFiles(model.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("hf:acme/tiny-llama", model.Source);
        using var loaded = LoadedModel.Open(model.Path);
    }

    /// <summary>What has come of a folder is not fetched again.</summary>
    [Fact]
    public async Task A_folder_that_was_broken_off_goes_on()
    {
        var folder = TinyModel.Folder(scratch);
        var hub = new TestHub { Refuses = "model.safetensors" };
        foreach (var file in Directory.GetFiles(folder))
        {
            hub.With(Path.GetFileName(file), File.ReadAllBytes(file));
        }

        await Assert.ThrowsAsync<InputException>(() => Add(hub, "hf:acme/tiny"));
        Assert.Equal(["tiny"], ModelDownload.Unfinished(Registry).Select(d => d.Name));
        hub.Refuses = null;
        hub.Asked.Clear();
        var model = await Add(hub, "hf:acme/tiny");
        Assert.Equal(["tiny?blobs=true", "model.safetensors", "model.safetensors"], hub.Asked.Select(a => a.Address.Split('/')[^1])); // the list, the hub, where it leads
        using var loaded = LoadedModel.Open(model.Path);
    }

    [Theory]
    [InlineData("pytorch_model.bin", "programs")]
    [InlineData("model.safetensors", "neither a GGUF file nor all of")]
    [InlineData("m-00001-of-00002.gguf", "parts of models")]
    public async Task What_has_no_model_in_it_is_refused(string file, string said) =>
        Assert.Contains(said, (await Refused(new TestHub().With(file, [1]), "no_model_files", "hf:acme/tiny")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("../evil.gguf")]
    [InlineData("/etc/evil.gguf")]
    [InlineData("a/../../evil.gguf")]
    [InlineData("a\\..\\evil.gguf")]
    [InlineData("C:evil.gguf")]
    [InlineData(".evil.gguf")]
    [InlineData("evil\u0000.gguf")]
    [InlineData("evil\u001b[2J.gguf")]
    [InlineData("a//evil.gguf")]
    [InlineData("./evil.gguf")]
    [InlineData("evil.gguf.part")]
    [InlineData("évil.gguf")]
    [Trait("Category", "Hostile")]
    public async Task Names_that_lead_elsewhere_are_left_out(string name)
    {
        var hub = new TestHub().With(name, Gguf);
        await Refused(hub, "no_model_files", "hf:acme/tiny");
        hub.With("tiny.gguf", Gguf);
        Assert.Equal("hf:acme/tiny:tiny.gguf", (await Add(hub, "hf:acme/tiny")).Source);
    }

    [Theory]
    [InlineData("hf:tiny")]
    [InlineData("hf:")]
    [InlineData("hf:a/b/c")]
    [InlineData("hf:../b")]
    [InlineData("hf:a/..")]
    [InlineData("hf:a/b?x")]
    [InlineData("hf:a/b:../x.gguf")]
    [InlineData("hf:a /b")]
    public async Task Repositories_are_named_as_owner_and_name(string source) => await Refused(new TestHub(), "bad_address", source);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"siblings\":{}}")]
    [InlineData("<html>")]
    [InlineData("{\"siblings\":[")]
    [Trait("Category", "Hostile")]
    public async Task Answers_that_are_no_list_are_refused(string answer) =>
        await Refused(new TestHub { Listing = Encoding.UTF8.GetBytes(answer) }, "bad_hub_answer", "hf:acme/tiny");

    [Fact]
    [Trait("Category", "Hostile")]
    public async Task Answers_are_bounded_and_odd_entries_left_out()
    {
        await Refused(new TestHub { Listing = new byte[HubListing.Largest + 1] }, "bad_hub_answer", "hf:acme/tiny");
        var odd = """{"sha":"../../x","siblings":[null,1,[],{},{"rfilename":5},{"rfilename":"a.gguf","size":-1,"lfs":[]},{"rfilename":"a.gguf"}]}""";
        var listing = HubListing.Parse(Encoding.UTF8.GetBytes(odd), "x");
        Assert.Equal(("main", new HubFile("a.gguf", null, null)), (listing.Revision, Assert.Single(listing.Files)));
    }

    [Fact]
    public async Task What_the_hub_says_of_a_file_must_be_so()
    {
        var hub = new TestHub().With("tiny.gguf", Gguf);
        hub.Content["tiny.gguf"] = [.. Gguf[..^1], (byte)(Gguf[^1] ^ 1)];
        await Refused(hub, "hash_mismatch", "hf:acme/tiny");
        hub.Content["tiny.gguf"] = Gguf[..^1];
        await Refused(hub, "wrong_size", "hf:acme/tiny");
        hub.Content["tiny.gguf"] = Gguf;
        await Refused(hub, "hash_mismatch", "hf:acme/tiny", sha256: new string('0', 64));
        await Add(hub, "hf:acme/tiny", sha256: TestHub.HashOf(Gguf));
        Assert.Empty(ModelDownload.Unfinished(Registry));
    }

    [Fact]
    public async Task An_address_on_the_hub_is_checked_by_the_hash_that_it_links()
    {
        var hub = new TestHub().With("tiny.gguf", Gguf);
        await Add(hub, "https://hub.test/acme/tiny/resolve/main/tiny.gguf");
        hub.Content["tiny.gguf"] = [.. Gguf[..^1], (byte)(Gguf[^1] ^ 1)];
        await Refused(hub, "hash_mismatch", "https://hub.test/acme/tiny/resolve/main/tiny.gguf", name: "other");
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_nowhere_else()
    {
        var hub = new TestHub().With("tiny.gguf", Gguf);
        await Add(hub, "hf:acme/tiny");
        Assert.Equal(
            [("hub.test", "Bearer hf_secret"), ("hub.test", "Bearer hf_secret"), ("cdn.test", null)],
            hub.Asked.Select(a => (new Uri(a.Address).Host, a.Authorization)));
        Assert.DoesNotContain("hf_secret", string.Concat(Directory.GetFiles(scratch.Path, "*.json", SearchOption.AllDirectories).Select(File.ReadAllText)), StringComparison.Ordinal);

        // Nor by way of another server, nor to another port or scheme of the hub's host.
        foreach (var address in new[] { "https://else.test/to-hub", "https://hub.test:8443/tiny.gguf", "https://hub.test.evil.test/tiny.gguf" })
        {
            hub.Asked.Clear();
            await Add(hub, address, "n" + Registry.List().Count);
            Assert.All(hub.Asked, a => Assert.Null(a.Authorization));
        }
    }

    [Theory]
    [InlineData("http://cdn.test/tiny.gguf")]
    [InlineData("http://127.0.0.1:1/tiny.gguf")]
    [InlineData("ftp://cdn.test/tiny.gguf")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:sesame@cdn.test/tiny.gguf")]
    [InlineData("https://hub.test/acme/tiny/resolve/main/tiny.gguf")]
    [InlineData("//")]
    [InlineData(null)]
    [Trait("Category", "Hostile")]
    public async Task Redirects_that_are_not_followed(string? to)
    {
        var hub = new TestHub { RedirectsTo = to, Redirects = true }.With("tiny.gguf", Gguf);
        var error = await Refused(hub, "bad_redirect", "https://hub.test/acme/tiny/resolve/main/tiny.gguf");
        Assert.DoesNotContain("sesame", error.Message + error.Hint + error.File, StringComparison.Ordinal);
        Assert.InRange(hub.Asked.Count, 1, 9);
    }

    [Theory]
    [InlineData("http://example.com/m.gguf", "http")]
    [InlineData("https://me:word@example.com/m.gguf", "password")]
    [InlineData("https://", "no address")]
    [InlineData("http://[::1", "no address")]
    public async Task Addresses_that_are_not_asked(string address, string said)
    {
        var error = await Refused(new TestHub(), "bad_address", address);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("word@", error.Message + error.Hint + error.File, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_names_the_token_and_does_not_show_it()
    {
        var error = await Refused(new TestHub { Refuses = "tiny" }, "download_refused", "hf:acme/tiny");
        Assert.Contains("HF_TOKEN", error.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret", error.ToString(), StringComparison.Ordinal);
    }

    private ModelRegistry Registry => new(Path.Combine(scratch.Path, "home"));

    private async Task<RegisteredModel> Add(TestHub hub, string source, string? name = null, string? sha256 = null)
    {
        var options = new DownloadOptions { Hub = new Uri("https://hub.test"), Token = "hf_secret", FirstPause = TimeSpan.FromMilliseconds(1), Network = hub };
        return await new ModelDownload(Registry, options).AddAsync(source, name, sha256);
    }

    private async Task<InputException> Refused(TestHub hub, string code, string source, string? name = null, string? sha256 = null)
    {
        var error = await Assert.ThrowsAsync<InputException>(() => Add(hub, source, name, sha256));
        Assert.Equal(code, error.Code);
        return error;
    }

    /// <summary>The network: hub.test with repositories, which gives large files from cdn.test, and servers that only pass on.</summary>
    private sealed class TestHub : HttpMessageHandler
    {
        public const string Commit = "0123456789abcdef0123456789abcdef01234567";
        private readonly List<(string Name, long Bytes, string? Sha256)> files = [];

        public Dictionary<string, byte[]> Content { get; } = [];

        public List<(string Address, string? Authorization)> Asked { get; } = [];

        public byte[]? Listing { get; init; }

        public bool Redirects { get; init; }

        public string? RedirectsTo { get; init; }

        /// <summary>An ending of addresses that are answered with 403.</summary>
        public string? Refuses { get; set; }

        public static string HashOf(byte[] bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

        public TestHub With(string name, byte[] content)
        {
            files.Add((name, content.Length, content.Length > 10_000 ? HashOf(content) : null));
            Content[name] = content;
            return this;
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var address = request.RequestUri!;
            Asked.Add((address.AbsoluteUri, request.Headers.Authorization?.ToString()));
            return Task.FromResult(Answer(address));
        }

        private HttpResponseMessage Answer(Uri address)
        {
            var path = Uri.UnescapeDataString(address.AbsolutePath);
            if (Refuses is not null && path.EndsWith(Refuses, StringComparison.Ordinal))
            {
                return new HttpResponseMessage(HttpStatusCode.Forbidden);
            }

            if (address.Host == "else.test")
            {
                return Redirect("https://hub.test/acme/tiny/resolve/main/tiny.gguf");
            }

            if (path.StartsWith("/api/", StringComparison.Ordinal))
            {
                return new HttpResponseMessage { Content = new ByteArrayContent(Listing ?? JsonSerializer.SerializeToUtf8Bytes(new
                {
                    sha = Commit,
                    siblings = files.Select(f => new { rfilename = f.Name, size = f.Bytes, lfs = f.Sha256 is null ? null : new { sha256 = f.Sha256, size = f.Bytes } }),
                })) };
            }

            var name = path.Contains("/resolve/", StringComparison.Ordinal) ? string.Join('/', path.Split('/').Skip(5)) : path.TrimStart('/');
            if (!Content.TryGetValue(name, out var content))
            {
                return new HttpResponseMessage(HttpStatusCode.NotFound);
            }

            if (address is { Host: "hub.test", Port: 443 } && (content.Length > 10_000 || Redirects))
            {
                var redirect = Redirect(Redirects ? RedirectsTo : $"https://cdn.test/{name}");
                redirect.Headers.TryAddWithoutValidation("X-Linked-Etag", $"\"{files.Single(f => f.Name == name).Sha256}\"");
                return redirect;
            }

            return new HttpResponseMessage { Content = new ByteArrayContent(content) };
        }

        private static HttpResponseMessage Redirect(string? to)
        {
            var answer = new HttpResponseMessage(HttpStatusCode.Found);
            answer.Headers.TryAddWithoutValidation("Location", to ?? "");
            return answer;
        }
    }
}
