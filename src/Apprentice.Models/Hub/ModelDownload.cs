using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Models.Hub;

/// <summary>A download that was broken off.</summary>
/// <param name="Name">Of the model to be; what is no letter, digit or <c>. _ -</c> in it is a dash.</param>
/// <param name="Bytes">That have come.</param>
public sealed record UnfinishedDownload(string Name, long Bytes);

/// <summary>Brings a model from the web into the registry: whole and looked at, or not at all.</summary>
public sealed class ModelDownload(ModelRegistry registry, DownloadOptions options)
{
    /// <summary>Whether it names something to be downloaded, and no file or folder.</summary>
    public static bool Is(string source) => source.StartsWith(HubSource.Prefix, StringComparison.Ordinal)
        || source.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || source.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Downloads and registers it.</summary>
    /// <param name="source">The address of a GGUF file, <c>hf:owner/name</c> or <c>hf:owner/name:file</c>.</param>
    /// <param name="name">What it is to be called; null: as the file or the repository.</param>
    /// <param name="sha256">What the file's hash must be, or null.</param>
    /// <param name="replace">Whether the name may stand for another model already, whose own files then go.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancel">Ends it; called again, it goes on where it stopped.</param>
    /// <exception cref="InputException">The source, the name, or what comes is at fault.</exception>
    /// <exception cref="RunFailedException">Code <c>download_failed</c> or <c>disk_full</c>.</exception>
    public async Task<RegisteredModel> AddAsync(
        string source, string? name = null, string? sha256 = null, bool replace = false, IProgress<DownloadProgress>? progress = null, CancellationToken cancel = default)
    {
        using var connection = new HubConnection(options);
        var isHub = source.StartsWith(HubSource.Prefix, StringComparison.Ordinal);
        var (shown, files) = isHub ? await FilesOfAsync(connection, HubSource.Parse(source), sha256, progress, cancel).ConfigureAwait(false) : FileAt(WebAddress.Parse(source, "the address"), sha256);
        name ??= NameOf(files, source);
        RequireFree(name, replace);
        using var folder = DownloadFolder.Open(registry.ModelsFolder, name, [.. files.Select(f => f.Name)]);
        RequireFree(name, replace); // who had the folder until now may have taken the name
        var hash = await FetchAsync(connection, files, folder.Path, progress, cancel).ConfigureAwait(false);
        var model = Described(folder, files, name);
        var whole = folder.Finish();
        try
        {
            model = model with { Path = files.Count == 1 ? Path.Combine(whole, files[0].Name) : whole, Source = shown, Sha256 = files.Count == 1 ? hash : null, Owned = true };
            registry.Add(model, replace);
            return model;
        }
        catch
        {
            Directory.Delete(whole, recursive: true); // without a name nobody would find it
            throw;
        }
    }

    /// <summary>Downloads that were broken off, with what has come.</summary>
    public static IReadOnlyList<UnfinishedDownload> Unfinished(ModelRegistry registry) => DownloadFolder.Unfinished(registry.ModelsFolder);

    /// <summary>Removes what has come of a model; gives its bytes, or null where nothing is there.</summary>
    /// <exception cref="InputException">Code <c>download_busy</c>: it is being downloaded.</exception>
    public static long? RemoveUnfinished(ModelRegistry registry, string name)
    {
        if (!ModelName.IsValid(name) || !Directory.Exists(DownloadFolder.PathOf(registry.ModelsFolder, name)))
        {
            return null;
        }

        using var folder = DownloadFolder.Open(registry.ModelsFolder, name, null);
        var bytes = DownloadFolder.BytesOf(folder.Path);
        folder.Delete();
        return bytes;
    }

    private void RequireFree(string name, bool replace)
    {
        ModelName.Require(name);
        if (!replace)
        {
            registry.RequireFree(name);
        }
    }

    private (string Shown, IReadOnlyList<WantedFile> Files) FileAt(Uri address, string? sha256)
    {
        var stem = ModelName.Part(ModelName.OfPath(Uri.UnescapeDataString(address.Segments[^1]))) ?? "model";
        return (WebAddress.Shown(address), [new WantedFile(address, $"{stem}.gguf", sha256, IsGguf: true)]);
    }

    private async Task<(string Shown, IReadOnlyList<WantedFile> Files)> FilesOfAsync(
        HubConnection connection, HubSource source, string? sha256, IProgress<DownloadProgress>? progress, CancellationToken cancel)
    {
        var address = source.ListingIn(options.Hub);
        var shown = WebAddress.Shown(address);
        var retries = new Retries(options, shown, note => progress?.Report(new DownloadProgress(source.ToString(), 0, null, 0, note)));
        var answer = await retries.RunAsync(
            async () =>
            {
                using var answer = await connection.GetAsync(address, null, cancel).ConfigureAwait(false);
                return await connection.ReadAllAsync(answer, HubListing.Largest, shown, cancel).ConfigureAwait(false);
            }, () => false, cancel).ConfigureAwait(false);
        var listing = HubListing.Parse(answer, shown);
        var chosen = HubChoice.Of(listing, source);
        if (sha256 is not null && chosen.Count > 1)
        {
            throw new InputException("bad_option", "--sha256 is for a single file, and this model has several", source.ToString(), hint: "leave it out: the hub says the hashes of the weights");
        }

        if (sha256 is not null && chosen[0].Sha256 is { } said && said != sha256)
        {
            throw new InputException("hash_mismatch", $"the hub has a file whose SHA-256 is {said}, not {sha256}", chosen[0].Path);
        }

        var total = chosen.Sum(f => f.Bytes ?? 0);
        return total <= options.MaxBytes
            ? ($"{source}{(chosen.Count == 1 ? $":{chosen[0].Path}" : "")}", [.. chosen.Select(f => new WantedFile(source.FileIn(options.Hub, listing.Revision, f.Path), f.Name, f.Sha256 ?? sha256, f.Bytes, f.IsGguf, listing.IsFixed))])
            : throw new InputException("too_large", $"the model has {total:N0} bytes, and at most {options.MaxBytes:N0} are taken", source.ToString(), hint: "raise the limit with --max-size, in GB");
    }

    /// <summary>Fetches all of them into the folder and gives the hash of the last.</summary>
    private async Task<string> FetchAsync(HubConnection connection, IReadOnlyList<WantedFile> files, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancel)
    {
        var download = new Download(connection, options, progress);
        var (hash, room) = ("", options.MaxBytes);
        DownloadRoom.Require(folder, files.Sum(f => Math.Max(0, (f.Bytes ?? 0) - PartFile.BytesOf(Path.Combine(folder, f.Name)))));
        foreach (var file in files)
        {
            var wanted = file with { Path = Path.Combine(folder, file.Name) };
            hash = await download.RunAsync(wanted, room, cancel).ConfigureAwait(false);
            room -= new FileInfo(wanted.Path).Length;
        }

        return hash;
    }

    /// <summary>What came is a model, or nothing of it stays.</summary>
    private static RegisteredModel Described(DownloadFolder folder, IReadOnlyList<WantedFile> files, string name)
    {
        try
        {
            return RegisteredModel.Of(name, files.Count == 1 ? Path.Combine(folder.Path, files[0].Name) : folder.Path);
        }
        catch (InputException e)
        {
            folder.Delete();
            throw new InputException(e.Code, $"what was downloaded is no model that can be used, and is deleted: {e.Message}", files[0].Name, hint: e.Hint);
        }
    }

    private static string NameOf(IReadOnlyList<WantedFile> files, string source) =>
        files.Count == 1 ? Path.GetFileNameWithoutExtension(files[0].Name) : ModelName.Part(HubSource.Parse(source).Name)
            ?? throw new InputException("bad_model_name", "no name can be made of this address", hint: "give one: --name my-model");
}
