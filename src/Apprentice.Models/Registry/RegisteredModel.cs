using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Registry;

/// <summary>A model that is known by a name.</summary>
/// <param name="Name">As a user writes it where a model is asked for.</param>
/// <param name="Path">The file or folder, absolute.</param>
/// <param name="Created">When it was registered.</param>
public sealed record RegisteredModel(string Name, string Path, DateTimeOffset Created)
{
    /// <summary>The address it was downloaded from, without what may be secret in it, or the run it was made by, or null.</summary>
    public string? Source { get; init; }

    /// <summary>Of the file, in lower-case hex; null for a folder, and for a file that nobody has hashed.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Of all its files; for a run or an adapter without its base.</summary>
    public long Bytes { get; init; }

    /// <summary><c>gguf</c>, <c>folder</c> (Hugging Face), <c>adapter</c> or <c>run</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>As the files call it.</summary>
    public string? Architecture { get; init; }

    /// <summary>Of a run or an adapter those of the base.</summary>
    public long? Parameters { get; init; }

    public string? License { get; init; }

    /// <summary>Whether the files lie in the registry's folder and go when the name is removed.</summary>
    public bool Owned { get; init; }

    /// <summary>Whether nothing is there any more.</summary>
    public bool IsMissing() => !File.Exists(Path) && !Directory.Exists(Path);

    /// <summary>Looks at what lies there; only headers are read.</summary>
    /// <param name="name">What it is to be called.</param>
    /// <param name="path">A file or folder that is there.</param>
    /// <exception cref="InputException">It is no model, or not a sound one, or its base is not there.</exception>
    public static RegisteredModel Of(string name, string path)
    {
        var reference = ModelReference.Resolve(path);
        var described = ModelDescription.Read(reference);
        if (described.Architecture is null)
        {
            throw new InputException("not_a_model", described.Kind == "gguf" ? "this GGUF file is no model: it names no architecture" : "this folder is no model: it has no config.json that names a model_type", path);
        }

        if (reference.Adapter is { } adapter && Directory.Exists(adapter))
        {
            PeftAdapter.Open(adapter);
        }

        // A run leads to a folder in it.
        var isRun = Directory.Exists(path) && System.IO.Path.GetFullPath(reference.Adapter ?? reference.Base) != System.IO.Path.GetFullPath(path);
        return new RegisteredModel(name, System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)), DateTimeOffset.UtcNow)
        {
            Kind = isRun ? "run" : reference.Adapter is not null ? "adapter" : described.Kind,
            Architecture = described.Architecture,
            Parameters = described.Parameters,
            Bytes = reference.Adapter is null ? described.Bytes : BytesOf(reference.Adapter),
            License = described.License,
        };
    }

    private static long BytesOf(string path) => Directory.Exists(path) ? Directory.GetFiles(path).Sum(ModelDescription.LengthOf) : ModelDescription.LengthOf(path);
}

/// <summary>What became of a model whose name was forgotten.</summary>
/// <param name="Model">As it was registered.</param>
/// <param name="Deleted">The folder that was deleted with all in it, or null: the files stay.</param>
/// <param name="KeptFor">Another name that leads to the files, which is why they stay, or null.</param>
public sealed record RemovedModel(RegisteredModel Model, string? Deleted, string? KeptFor);
