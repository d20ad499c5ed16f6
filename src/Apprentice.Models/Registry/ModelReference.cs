using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Registry;

/// <summary>
/// What a user names where a model is asked for: a .gguf file, a Hugging Face folder, an adapter (a folder in PEFT's format or
/// a .gguf file in llama.cpp's), the folder of a run, which holds one of the latter two, or <c>base</c>, the built-in model.
/// </summary>
/// <param name="Base">The .gguf file or the Hugging Face folder.</param>
/// <param name="Adapter">The adapter's folder or .gguf file, or null.</param>
public sealed record ModelReference(string Base, string? Adapter = null)
{
    private const string Kinds = $"a model is a .gguf file, a Hugging Face folder, a run folder, an adapter folder, a registered name, or {BuiltInModel.Name}, the built-in one";

    public bool IsGguf => File.Exists(Base);

    /// <summary>Finds out what a path is.</summary>
    /// <exception cref="InputException">Code <c>model_not_found</c>, <c>not_a_model</c>, <c>no_model_yet</c> or <c>base_not_found</c>.</exception>
    public static ModelReference Resolve(string path)
    {
        if (BuiltInModel.Find(path) is { } builtIn)
        {
            return new ModelReference(builtIn);
        }

        if (File.Exists(path))
        {
            return GgufAdapter.Is(path) ? WithGgufBase(path) : new ModelReference(path); // whether it is sound GGUF shows when it is read
        }

        if (!Directory.Exists(path))
        {
            var registry = new ModelRegistry();
            return registry.Find(path) is { } registered ? Resolve(PathOf(registered))
                : throw new InputException("model_not_found", "there is no such model: no file or folder has this name, and none is registered by it", path,
                    hint: Hub.ModelDownload.Is(path) ? $"download it first: apprentice models add {path}"
                        : (MissingFile.Near(path) ?? registry.Near(path)) is { } near ? MissingFile.DidYouMean(near) : Kinds);
        }

        return Has(path, "config.json") || Has(path, "tokenizer.json") ? new ModelReference(path)
            : Has(path, PeftConfigFile.Name) ? WithBase(path)
            : Has(Path.Combine(path, "adapter"), PeftConfigFile.Name) ? WithBase(Path.Combine(path, "adapter"))
            : Has(Path.Combine(path, "model"), "config.json") ? new ModelReference(Path.Combine(path, "model"))
            : Has(path, "recipe.yaml") && !Has(path, "state.json") ? throw new InputException("no_model_yet", "this folder has a recipe, but no model", path, hint: $"train it: apprentice train {path}; its model is then in the folder that the recipe names as out")
            : Has(path, "recipe.yaml") ? throw new InputException("no_model_yet", "this run has not made a model yet", path, hint: $"go on with it: apprentice resume {path}")
            : throw new InputException("not_a_model", $"this folder is no model: it has neither config.json nor {PeftConfigFile.Name}, nor is it a run", path,
                hint: Directory.EnumerateFiles(path, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() is { } file ? MissingFile.DidYouMean(file) : Kinds);
    }

    /// <summary>The path of a registered model where no file or folder has the name; else what was given.</summary>
    /// <exception cref="InputException">Code <c>model_gone</c>: it is registered, and nothing is there any more.</exception>
    public static string Locate(string path) =>
        path != BuiltInModel.Name && !Path.Exists(path) && new ModelRegistry().Find(path) is { } registered ? PathOf(registered) : path;

    private static string PathOf(RegisteredModel model) => !model.IsMissing() ? model.Path
        : throw new InputException("model_gone", $"the model registered as '{model.Name}' is not there any more", model.Path,
            hint: $"put it back, or forget the name: apprentice models rm {model.Name}");

    /// <summary>A base model with an adapter, whatever base the adapter itself names.</summary>
    /// <exception cref="InputException">One of the two is not what it should be.</exception>
    public static ModelReference Resolve(string path, string? adapter)
    {
        var model = Resolve(path);
        if (adapter is null)
        {
            return model;
        }

        adapter = Locate(adapter);

        if (model.Adapter is not null)
        {
            throw new InputException("adapter_as_base", "an adapter goes on a base model; this is a run or an adapter", path, hint: $"its base is {model.Base}");
        }

        return File.Exists(adapter) || Has(adapter, PeftConfigFile.Name) ? model with { Adapter = adapter }
            : Has(Path.Combine(adapter, "adapter"), PeftConfigFile.Name) ? model with { Adapter = Path.Combine(adapter, "adapter") }
            : throw (Directory.Exists(adapter)
                ? new InputException("not_an_adapter", $"this folder is no adapter: it has no {PeftConfigFile.Name}, nor is it a run that trained one", adapter, hint: "an adapter is a folder in PEFT's format, a run folder, or a .gguf file")
                : MissingFile.Error(adapter));
    }

    private static ModelReference WithGgufBase(string adapter)
    {
        var named = GgufAdapter.BaseOf(adapter);
        return Found(named, Path.GetDirectoryName(adapter) is { Length: > 0 } folder ? folder : ".") is { } found
            ? new ModelReference(found, adapter)
            : throw new InputException("base_not_found", named is null ? "the adapter does not say which model it belongs to" : $"the adapter's base model '{named}' is not there", adapter,
                hint: "with generate, evaluate or chat give both: --model BASE --adapter ADAPTER");
    }

    /// <summary>As it was given: from the folder of the command that trained it, or beside the adapter where both were moved.</summary>
    private static string? Found(string? named, string beside) => named is null ? null
        : BuiltInModel.Find(named) is { } builtIn ? builtIn
        : new[] { named, Path.Combine(beside, named) }.FirstOrDefault(p => (File.Exists(p) && !GgufAdapter.Is(p)) || Has(p, "config.json"))
            ?? RegisteredBase(named);

    /// <summary>Where a base that is named by its registered name lies; null for any other.</summary>
    private static string? RegisteredBase(string named) =>
        new ModelRegistry().Find(named) is { } registered && Resolve(PathOf(registered)) is { Adapter: null } model ? model.Base : null;

    private static ModelReference WithBase(string adapter)
    {
        var config = Path.Combine(adapter, PeftConfigFile.Name);
        var named = PeftConfigFile.Read(config).BaseModel
            ?? throw new InputException("base_not_found", "the adapter does not say which model it belongs to: base_model_name_or_path is missing", config);

        if (BuiltInModel.Find(named) is { } builtIn)
        {
            return new ModelReference(builtIn, adapter);
        }

        // Where the run says that it was, whatever lies under that name here; else as it was given: from the folder of the command
        // that trained it, or beside the adapter where both were moved.
        var found = RunBase(adapter, named)
            ?? new[] { named, Path.Combine(adapter, named) }.FirstOrDefault(p => File.Exists(p) || Directory.Exists(p))
            ?? RegisteredBase(named)
            ?? throw new InputException("base_not_found", $"the adapter's base model '{named}' is not there", config,
                hint: "put it back, or run the command from the folder in which the adapter was trained, or with generate, evaluate or chat give both: --model BASE --adapter ADAPTER");
        return !Directory.Exists(found) || Has(found, "config.json")
            ? new ModelReference(found, adapter)
            : throw new InputException("base_not_found", $"the adapter's base '{named}' is no base model: it has no config.json", config);
    }

    /// <summary>The base of a run's adapter or checkpoint as its lock names it, if it is there; null where there is no lock.</summary>
    private static string? RunBase(string adapter, string named)
    {
        const int Levels = 2, LargestLock = 1 << 20; // runs/NAME/adapter, runs/NAME/checkpoints/step-000120
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(adapter));
        for (var level = 0; level < Levels && Path.GetDirectoryName(folder) is { } above; level++, folder = above)
        {
            var file = new FileInfo(Path.Combine(above, "lock.json"));
            if (file.Exists && file.Length <= LargestLock && StrictJson.Parse(File.ReadAllBytes(file.FullName), out _) is JsonObject runLock
                && (runLock["settings"] as JsonObject)?["model_path"] is JsonValue value && value.TryGetValue<string>(out var path) && Path.Exists(path))
            {
                return Path.Exists(named) && Path.GetFullPath(named) == path ? named : path; // as it was given, where that means the same
            }
        }

        return null;
    }

    private static bool Has(string folder, string file) => File.Exists(Path.Combine(folder, file));
}
