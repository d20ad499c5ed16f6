using Apprentice.Data;
using Apprentice.Models.Hub;
using Apprentice.Models.Registry;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary>What <c>models add</c> is asked to do.</summary>
/// <param name="Source">A path, an address, or <c>hf:owner/name[:file]</c>.</param>
/// <param name="Name">Null: made from the source.</param>
/// <param name="Sha256">As it was given, or null.</param>
/// <param name="Force">Whether the name may stand for another model already.</param>
/// <param name="MaxBytes">Most bytes to download.</param>
internal sealed record ModelsAddRequest(string Source, string? Name, string? Sha256, bool Force, long MaxBytes);

/// <summary>What <c>models add</c> does, apart from options and printing.</summary>
internal static class ModelsAddWork
{
    public static async Task<RegisteredModel> RunAsync(ModelsAddRequest request, IProgress<DownloadProgress> progress, CancellationToken cancel)
    {
        var sha256 = Sha256.Parse(request.Sha256);
        if (request.Sha256 is not null && sha256 is null)
        {
            throw new InputException("bad_option", $"--sha256 is '{request.Sha256}'; it must be 64 hexadecimal digits");
        }

        if (request.Name is not null)
        {
            ModelName.Require(request.Name);
        }

        var registry = new ModelRegistry();
        return ModelDownload.Is(request.Source)
            ? await new ModelDownload(registry, DownloadOptions.FromEnvironment(request.MaxBytes)).AddAsync(request.Source, request.Name, sha256, request.Force, progress, cancel)
            : await Task.Run(() => AddLocal(registry, request, sha256), cancel);
    }

    private static RegisteredModel AddLocal(ModelRegistry registry, ModelsAddRequest request, string? sha256)
    {
        var source = request.Source;
        if (!Path.Exists(source))
        {
            throw Missing(source);
        }

        var model = RegisteredModel.Of(request.Name ?? NameOf(source), source);
        if (sha256 is not null)
        {
            RequireHash(source, sha256);
            model = model with { Sha256 = sha256 };
        }

        registry.Add(model, request.Force);
        return model;
    }

    private static InputException Missing(string source) => source == BuiltInModel.Name
        ? new InputException("bad_usage", $"'{source}' is built in, and known by this name already")
        : new InputException("model_not_found", "there is no such file or folder", source, hint: MissingFile.Near(source) is { } near ? MissingFile.DidYouMean(near)
            : source.Count(c => c == '/') == 1 && !source.StartsWith('/') && !source.StartsWith('.') ? $"a repository of the hub is written hf:{source}"
            : "a model that is to be downloaded begins with https:// or hf:");

    private static string NameOf(string source)
    {
        if (RunFolder.IsRun(source))
        {
            using var run = RunFolder.Open(source);
            return RunRegistration.NameOf(run);
        }

        return ModelName.Part(ModelName.OfPath(Path.GetFullPath(source)))
            ?? throw new InputException("bad_model_name", "no name can be made of this one", source, hint: "give one: --name my-model");
    }

    private static void RequireHash(string source, string sha256)
    {
        if (!File.Exists(source))
        {
            throw new InputException("bad_option", "--sha256 is for a file, and this is a folder", source, hint: "leave it out");
        }

        using var stream = File.OpenRead(source);
        var actual = Convert.ToHexStringLower(Sha256.Hash(stream));
        if (actual != sha256)
        {
            throw new InputException("hash_mismatch", $"this is not the file that is wanted: its SHA-256 is {actual}, not {sha256}", source);
        }
    }
}
