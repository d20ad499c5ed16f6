using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Registry;

/// <summary>
/// The models that are known by name, in the home folder: a list (<c>models.json</c>), and beside it the files of those that
/// were downloaded.
/// </summary>
public sealed class ModelRegistry
{
    private readonly SharedList<RegisteredModel> _file;

    /// <param name="home">Default: $APPRENTICE_HOME, else ~/.apprentice.</param>
    public ModelRegistry(string? home = null)
    {
        Home = ApprenticeHome.Of(home);
        var file = Path.Combine(Home, "models.json");
        _file = new SharedList<RegisteredModel>(file, "models", "models", Wrong, why => new InputException(
            "bad_registry", $"the list of models cannot be read: {why}", file, hint: "mend the file, or move it away: the models themselves are where they were"));
    }

    public string Home { get; }

    /// <summary>Where the files of owned models lie.</summary>
    public string ModelsFolder => Path.Combine(Home, "models");

    /// <summary>By name.</summary>
    /// <exception cref="InputException">Code <c>bad_registry</c>: the file is damaged.</exception>
    public IReadOnlyList<RegisteredModel> List() => [.. _file.Read().OrderBy(m => m.Name, StringComparer.Ordinal)];

    /// <summary>The model of that name, or null.</summary>
    /// <exception cref="InputException">Code <c>bad_registry</c>: the file is damaged.</exception>
    public RegisteredModel? Find(string name) => ModelName.IsValid(name) ? _file.Read().FirstOrDefault(m => m.Name == name) : null;

    /// <summary>Makes the name known. Of what had the name before, where that is to be replaced, the files in the registry's folder are deleted.</summary>
    /// <param name="model">Its path is absolute.</param>
    /// <param name="replace">Whether the name may stand for another path already.</param>
    /// <exception cref="InputException">Code <c>bad_model_name</c>, <c>model_exists</c>, <c>registry_busy</c>, <c>bad_registry</c> or <c>bad_path</c>.</exception>
    public void Add(RegisteredModel model, bool replace = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModelName.Require(model.Name);
        if (!Path.IsPathFullyQualified(model.Path))
        {
            throw new ArgumentException("a registered path is absolute, for a name is used from any folder", nameof(model));
        }

        string? released = null;
        _file.Change(
            models =>
            {
                var before = models.Find(m => m.Name == model.Name);
                RequireFree(before, model.Path, replace);
                models.RemoveAll(m => m.Name == model.Name);
                models.Add(model);
                released = before is null ? null : Release(models, before).Folder;
            },
            then: () =>
            {
                try
                {
                    Delete(released);
                }
                catch (InputException)
                {
                    // The model is registered; that old files stay is no reason to say that it is not.
                }
            });
    }

    /// <summary>To be called before long work: whether <see cref="Add"/> will take the name.</summary>
    /// <exception cref="InputException">Code <c>bad_model_name</c>, <c>model_exists</c> or <c>bad_registry</c>.</exception>
    public void RequireFree(string name, string? path = null)
    {
        ModelName.Require(name);
        RequireFree(Find(name), path, replace: false);
    }

    /// <summary>Forgets the name, and deletes the files that lie in the registry's folder unless another name leads to them; files elsewhere stay.</summary>
    /// <exception cref="InputException">Code <c>model_not_found</c>, <c>registry_busy</c>, <c>bad_registry</c> or <c>bad_path</c>.</exception>
    public RemovedModel Remove(string name)
    {
        RemovedModel? removed = null;
        _file.Change(
            models =>
            {
                var model = models.Find(m => m.Name == name)
                    ?? throw new InputException("model_not_found", $"no model is registered as '{name}'", hint: Near(name) is { } near ? MissingFile.DidYouMean(near) : "apprentice models list shows the names");
                models.Remove(model);
                var (folder, heir) = Release(models, model);
                removed = new RemovedModel(model, folder, heir);
            },
            then: () => Delete(removed!.Deleted));
        return removed!;
    }

    /// <summary>A registered name that is like the one given, or null.</summary>
    public string? Near(string name) => Suggestion.Nearest(name, _file.Read().Select(m => m.Name));

    private static void RequireFree(RegisteredModel? before, string? path, bool replace)
    {
        // The same once more, such as a run that is trained again, is no conflict.
        if (!replace && before is not null && (before.Owned || before.Path != path))
        {
            throw new InputException("model_exists", $"a model is registered as '{before.Name}' already", before.Path, hint: $"give another --name, or --force to replace it, or first: apprentice models rm {before.Name}");
        }
    }

    /// <summary>What becomes of a removed model's files: the folder to delete, or the name that has them from now on.</summary>
    private (string? Folder, string? Heir) Release(List<RegisteredModel> left, RegisteredModel removed)
    {
        if (FolderOf(removed) is not { } folder)
        {
            return (null, null);
        }

        var heir = left.FindIndex(m => m.Path == folder || m.Path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal));
        if (heir < 0)
        {
            return (folder, null);
        }

        left[heir] = left[heir] with { Owned = true };
        return (null, left[heir].Name);
    }

    /// <summary>The folder that an owned model has to itself; null for any other, whatever the list claims of it.</summary>
    private string? FolderOf(RegisteredModel model)
    {
        var below = Path.GetRelativePath(ModelsFolder, model.Path);
        var first = below.Split(Path.DirectorySeparatorChar)[0];
        return !model.Owned || Path.IsPathRooted(below) || first is "" or "." or ".." ? null : Path.Combine(ModelsFolder, first);
    }

    private void Delete(string? folder)
    {
        if (folder is null || !Directory.Exists(folder))
        {
            return;
        }

        try
        {
            AtomicDirectory.CleanUp(ModelsFolder); // what was killed while it deleted
            AtomicDirectory.Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable.Error(folder, e);
        }
    }

    private static string? Wrong(IReadOnlyList<RegisteredModel> models) =>
        models.FirstOrDefault(m => !ModelName.IsValid(m.Name) || !Path.IsPathFullyQualified(m.Path) || m.Path.Contains('\0', StringComparison.Ordinal)) is { } wrong
            ? $"the model '{wrong.Name}' has no proper name or no absolute path"
            : models.DistinctBy(m => m.Name).Count() < models.Count ? "a name is there twice"
            : null;
}
