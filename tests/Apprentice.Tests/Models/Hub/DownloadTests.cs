using System.Security.Cryptography;
using Apprentice.Data;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;
using Apprentice.Tests.Models.Weights;

namespace Apprentice.Tests.Models.Hub;

/// <summary>One file from servers that are cut off, lie, change it, or are not what they seem: it is there whole, or not at all.</summary>
[Trait("Category", "Hostile")]
public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Model = EndToEnd.TinyModel.Gguf();
    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Model));
    private readonly ScratchFolder scratch = new();
    private readonly List<DownloadProgress> reports = [];

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task A_file_is_downloaded_and_registered_and_no_trace_of_the_way_is_left()
    {
        using var server = new RawServer(new ServedFile(Model).Answer);
        var model = await Add(new Uri(server.Address, "files/Tiny%20Model-Q4.gguf?signature=secret"));
        Assert.Equal(("Tiny-Model-Q4", Hash, (long)Model.Length, "llama", true), (model.Name, model.Sha256, model.Bytes, model.Architecture, model.Owned));
        Assert.Equal($"{server.Address}files/Tiny%20Model-Q4.gguf", model.Source);
        Assert.Equal(Model, File.ReadAllBytes(model.Path));
        Assert.Equal(["models", "models.json", "models.lock", "models/Tiny-Model-Q4", "models/Tiny-Model-Q4/Tiny-Model-Q4.gguf"], Left());
        Assert.Equal(model, Registry.Find("Tiny-Model-Q4"));
        Assert.Equal((Model.Length, (long?)Model.Length), (reports[^1].Done, reports[^1].Total));
    }

    [Fact]
    public async Task A_connection_that_is_cut_again_and_again_goes_on_where_it_was()
    {
        var file = new ServedFile(Model);
        using var server = new RawServer(request => file.Answer(request) with { CutAfter = 10_000 });
        Assert.Equal(Hash, (await Add(server.Address)).Sha256);
        Assert.Equal(Enumerable.Range(0, server.Requests.Count).Select(i => i * 10_000L), server.Requests.Select(r => r.From ?? 0));
        Assert.All(server.Requests.Skip(1), r => Assert.Equal("\"v1\"", r.Header("If-Range")));
        Assert.Contains(reports, r => r.Note?.StartsWith("the connection was cut; again in", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_server_that_gives_nothing_is_given_up_and_what_came_before_is_kept()
    {
        var file = new ServedFile(Model);
        var first = true;
        using var server = new RawServer(request => file.Answer(request) with { CutAfter = Exchange(ref first, false) ? 10_000 : 0 });
        Assert.Equal("download_failed", (await Assert.ThrowsAsync<RunFailedException>(() => Add(server.Address))).Code);
        Assert.Equal(10_000, new FileInfo(Assert.Single(Left(), f => f.EndsWith(".part", StringComparison.Ordinal)).Insert(0, scratch.Path + "/")).Length);
        Assert.Equal(["model"], ModelDownload.Unfinished(Registry).Select(d => d.Name));
        Assert.Equal(10_000, server.Requests[^1].From);
    }

    /// <summary>The same address, another file: what is there of the old one is of no use.</summary>
    [Theory]
    [InlineData("\"v2\"")]
    [InlineData("W/\"v1\"")]
    [InlineData(null)]
    public async Task A_file_that_has_changed_meanwhile_is_begun_anew(string? tag)
    {
        var old = new ServedFile([.. Model[..20_000], .. new byte[Model.Length - 20_000]]);
        var now = new ServedFile(Model, tag);
        await Interrupted(old);
        using var server = new RawServer(now.Answer);
        Assert.Equal(Hash, (await Add(server.Address, again: true)).Sha256);
    }

    [Fact]
    public async Task A_server_that_gives_the_rest_of_another_file_is_found_out_by_its_mark()
    {
        await Interrupted(new ServedFile(new byte[Model.Length].Select((_, i) => i < 4 ? Model[i] : (byte)i).ToArray()));
        var now = new ServedFile(Model, "\"v2\"");
        using var server = new RawServer(request => now.Answer(request with { Headers = request.Headers.Where(h => h.Key != "If-Range").ToDictionary() }));
        Assert.Equal(Hash, (await Add(server.Address, again: true)).Sha256);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task And_where_the_mark_lies_by_its_hash()
    {
        await Interrupted(new ServedFile(new byte[Model.Length].Select((_, i) => i < 4 ? Model[i] : (byte)i).ToArray()));
        using var server = new RawServer(new ServedFile(Model).Answer);
        Assert.Equal(Hash, (await Add(server.Address, Hash, again: true)).Sha256);
        Assert.Equal([10_000, null], server.Requests.Select(r => r.From));
    }

    [Theory]
    [InlineData(206, "bytes 0-99/100")]
    [InlineData(206, "lines 1-2/3")]
    [InlineData(206, null)]
    [InlineData(416, null)]
    public async Task Parts_that_were_not_asked_for_are_not_taken(int status, string? range)
    {
        var file = new ServedFile(Model);
        var requests = 0;
        using var server = new RawServer(request => ++requests == 2 ? new RawAnswer(status, Model[..100], range is null ? [] : [("Content-Range", range)])
            : file.Answer(request) with { CutAfter = requests == 1 ? 10_000 : int.MaxValue });
        Assert.Equal(Hash, (await Add(server.Address)).Sha256);
        Assert.Equal([null, 10_000, null], server.Requests.Select(r => r.From));
    }

    [Fact]
    public async Task A_server_without_parts_gives_it_anew()
    {
        var requests = 0;
        using var server = new RawServer(_ => new RawAnswer(200, Model, ("ETag", "\"v1\"")) { CutAfter = ++requests < 3 ? 10_000 * requests : int.MaxValue });
        Assert.Equal(Hash, (await Add(server.Address)).Sha256);
        Assert.Contains(reports, r => r.Note?.StartsWith("begins anew", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Nothing_is_taken_for_the_rest_where_nothing_shows_that_it_is()
    {
        var requests = 0;
        using var server = new RawServer(request => new ServedFile(Model, ETag: null).Answer(request) with { CutAfter = ++requests == 1 ? 10_000 : int.MaxValue });
        Assert.Equal(Hash, (await Add(server.Address)).Sha256);
        Assert.All(server.Requests, r => Assert.Null(r.From));
    }

    /// <summary>Content-Length says more than comes, less, or nothing.</summary>
    [Fact]
    public async Task Lengths_that_lie()
    {
        using (var more = new RawServer(_ => new RawAnswer(200, Model) { Length = Model.Length + 5 }))
        {
            Assert.Equal("download_failed", (await Assert.ThrowsAsync<RunFailedException>(() => Add(more.Address))).Code);
        }

        Clean();
        using (var less = new RawServer(_ => new RawAnswer(200, Model) { Length = Model.Length - 5000 }))
        {
            await Refused("bad_gguf", less.Address); // cut short, as its own header shows
            await Refused("hash_mismatch", less.Address, Hash);
        }

        using var none = new RawServer(_ => new RawAnswer(200, Model) { Length = -1 });
        Assert.Equal(Hash, (await Add(none.Address)).Sha256);
        Assert.Null(reports[^1].Total);
    }

    [Fact]
    public async Task A_length_that_is_not_said_and_too_short_leaves_nothing()
    {
        using var server = new RawServer(_ => new RawAnswer(200, Model) { Length = -1, CutAfter = Model.Length - 5000 });
        await Refused("bad_gguf", server.Address);
    }

    [Fact]
    public async Task Another_hash_leaves_nothing()
    {
        using var server = new RawServer(new ServedFile(Model).Answer);
        var error = await Refused("hash_mismatch", server.Address, new string('a', 64));
        Assert.Contains(Hash, error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    /// <summary>It is tried once more from the beginning, and no third time, however the server cuts it into parts.</summary>
    [Fact]
    public async Task Another_hash_of_parts_that_came_one_by_one_leaves_nothing()
    {
        var file = new ServedFile(Model);
        using var server = new RawServer(request => file.Answer(request) with { CutAfter = Model.Length / 2 + 1 });
        await Refused("hash_mismatch", server.Address, new string('a', 64));
        Assert.Equal([null, Model.Length / 2 + 1, null, Model.Length / 2 + 1], server.Requests.Select(r => r.From));
    }

    [Theory]
    [InlineData("<!doctype html><html>log in</html>", "a web page (HTML)")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "a Git LFS pointer")]
    [InlineData("something else", "does not begin with 'GGUF'")]
    [InlineData("", "")]
    public async Task What_is_no_model_is_said_by_its_first_bytes(string body, string said)
    {
        using var server = new RawServer(_ => new RawAnswer(200, System.Text.Encoding.UTF8.GetBytes(body)));
        Assert.Contains(said, (await Refused("bad_gguf", server.Address)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gguf_file_that_is_no_model_is_deleted()
    {
        using var server = new RawServer(_ => new RawAnswer(200, new GgufBuilder().Add("general.name", "x").Build()));
        await Refused("not_a_model", server.Address);
    }

    [Fact]
    public async Task A_limit_is_kept_whatever_the_server_says()
    {
        using (var honest = new RawServer(new ServedFile(Model).Answer))
        {
            Assert.Contains("--max-size", (await Refused("too_large", honest.Address, most: 50_000)).Hint, StringComparison.Ordinal);
        }

        using var silent = new RawServer(_ => new RawAnswer(200, Model) { Length = -1 });
        await Refused("too_large", silent.Address, most: 50_000);
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_asked_again()
    {
        var file = new ServedFile(Model);
        var requests = 0;
        using var server = new RawServer(request => ++requests switch
        {
            1 => file.Answer(request) with { CutAfter = 0, Stalls = true },
            2 => file.Answer(request) with { CutAfter = 10_000, Stalls = true },
            _ => file.Answer(request),
        });
        Assert.Equal(Hash, (await Add(server.Address, stall: TimeSpan.FromMilliseconds(300))).Sha256);
        Assert.Equal([null, null, 10_000], server.Requests.Select(r => r.From));
        Assert.Equal(2, reports.Count(r => r.Note?.StartsWith("nothing came for 0.3 s", StringComparison.Ordinal) == true));
    }

    [Theory]
    [InlineData(503, null)]
    [InlineData(429, "download_failed")]
    [InlineData(404, "address_not_found")]
    [InlineData(403, "download_refused")]
    [InlineData(418, "download_refused")]
    [InlineData(204, "download_refused")]
    public async Task Refusals_are_said_and_what_may_pass_is_tried_again(int status, string? code)
    {
        var requests = 0;
        using var server = new RawServer(request => ++requests < 3 || code is not null ? new RawAnswer(status, [], ("Retry-After", "0")) : new ServedFile(Model).Answer(request));
        if (code is null)
        {
            Assert.Equal(Hash, (await Add(server.Address)).Sha256);
            return;
        }

        var failure = await Record.ExceptionAsync(() => Add(server.Address));
        Assert.Equal(code, (failure as InputException)?.Code ?? (failure as RunFailedException)?.Code);
        Assert.Equal(code == "download_failed" ? 5 : 1, server.Requests.Count);
    }

    [Fact]
    public async Task A_packed_file_is_refused()
    {
        using var server = new RawServer(_ => new RawAnswer(200, Model, ("Content-Encoding", "gzip")));
        await Refused("download_refused", server.Address);
        Assert.Equal("identity", server.Requests[0].Header("Accept-Encoding"));
    }

    [Fact]
    public async Task Nobody_there()
    {
        var server = new RawServer(_ => new RawAnswer(200, []));
        server.Dispose();
        Assert.Equal("download_failed", (await Assert.ThrowsAsync<RunFailedException>(() => Add(server.Address))).Code);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_before_anything_is_asked_for()
    {
        using var server = new RawServer(new ServedFile(Model).Answer);
        var first = await Add(server.Address);
        Assert.Equal("model_exists", (await Assert.ThrowsAsync<InputException>(() => Add(server.Address))).Code);
        Assert.Single(server.Requests);

        var second = await Add(server.Address, force: true);
        Assert.NotEqual(first.Path, second.Path);
        Assert.False(first.IsMissing() == second.IsMissing(), "the old files go, the new ones stay");
        Assert.Equal(second, Assert.Single(Registry.List()));
    }

    [Fact]
    public async Task One_process_at_a_time_downloads_a_model_of_a_name()
    {
        using var held = DownloadFolder.Open(Registry.ModelsFolder, "model", ["model.gguf"]);
        using var server = new RawServer(new ServedFile(Model).Answer);
        Assert.Equal("download_busy", (await Assert.ThrowsAsync<InputException>(() => Add(server.Address))).Code);
    }

    [Fact]
    public async Task Cancelling_keeps_what_has_come()
    {
        using var cancel = new CancellationTokenSource();
        var file = new ServedFile(Model);
        using (var server = new RawServer(request => file.Answer(request) with { CutAfter = 10_000, Stalls = true }))
        {
            var adding = Add(server.Address, cancel: cancel.Token);
            while (ModelDownload.Unfinished(Registry) is not [{ Bytes: > 0 }])
            {
                await Task.Delay(10);
            }

            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adding);
        }

        Assert.Empty(Registry.List());
    }

    private ModelRegistry Registry => new(scratch.Path);

    private static T Exchange<T>(ref T value, T now)
    {
        var before = value;
        value = now;
        return before;
    }

    private async Task<RegisteredModel> Add(
        Uri address, string? sha256 = null, long most = 10_000_000, TimeSpan? stall = null, bool force = false, bool again = false, CancellationToken cancel = default)
    {
        if (again)
        {
            // The part is of the server that was there before, whose port was another.
            var origin = Directory.GetFiles(scratch.Path, "*.part.json", SearchOption.AllDirectories).Single();
            File.WriteAllText(origin, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(origin), "http://127.0.0.1:\\d+/", address.AbsoluteUri));
        }

        var options = new DownloadOptions { MaxBytes = most, FirstPause = TimeSpan.FromMilliseconds(1), Stall = stall ?? TimeSpan.FromSeconds(30), Worthwhile = 1000 };
        return await new ModelDownload(Registry, options).AddAsync(address.AbsoluteUri, null, sha256, force, new Reports(reports), cancel);
    }

    /// <summary>Leaves 10,000 bytes of it.</summary>
    private async Task Interrupted(ServedFile file)
    {
        using var server = new RawServer(request => request.From is null ? file.Answer(request) with { CutAfter = 10_000 } : new RawAnswer(403, []));
        Assert.Equal("download_refused", (await Assert.ThrowsAsync<InputException>(() => Add(server.Address))).Code);
    }

    /// <summary>And leaves nothing.</summary>
    private async Task<InputException> Refused(string code, Uri address, string? sha256 = null, long most = 10_000_000)
    {
        var error = await Assert.ThrowsAsync<InputException>(() => Add(address, sha256, most));
        Assert.Equal(code, error.Code);
        Assert.Equal(["models"], Left());
        return error;
    }

    private void Clean() => Directory.Delete(Registry.ModelsFolder, recursive: true);

    private string[] Left() => [.. Directory.GetFileSystemEntries(scratch.Path, "*", SearchOption.AllDirectories).Select(e => Path.GetRelativePath(scratch.Path, e)).Order(StringComparer.Ordinal)];

    private sealed class Reports(List<DownloadProgress> all) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => all.Add(value);
    }
}
