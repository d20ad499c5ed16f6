using System.CommandLine;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Training;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;
using Spectre.Console;

namespace Apprentice.Cli.Commands;

/// <summary>A LoRA adapter as its files describe it.</summary>
internal sealed record AdapterFacts(string Folder, int Rank, double Alpha, bool Rslora, bool Dora, double Dropout, IReadOnlyList<string> Targets, int Modules, long Parameters, long Bytes);

/// <summary>Where a model comes from.</summary>
internal sealed record RunFacts(string Run, RunStatus Status, int Steps, string Base, string Method, IReadOnlyList<string> Data);

/// <summary>
/// <c>models show</c>: what a model is, how it is stored, and what memory it takes to train or use it. A model that cannot be used is
/// shown as far as its files go, with the reason.
/// </summary>
internal static class ModelsShowCommand
{
    public static Verb Create(Terminal terminal)
    {
        var model = new Argument<string>("MODEL") { Description = CommonOptions.ModelKinds };
        var verb = new Verb(
            "show",
            "Show what a model is: architecture, parameters, types, context, chat template, licence, and the memory it takes.",
            "apprentice models show base.gguf\napprentice models show runs/tickets --json")
        {
            model,
        };
        verb.SetAction((parsed, _) =>
        {
            Show(terminal, parsed.GetRequiredValue(model));
            return Task.FromResult(ExitCode.Done);
        });
        return verb;
    }

    private static void Show(Terminal terminal, string path)
    {
        var (registered, given) = (Registered(path), path);
        path = ModelReference.Locate(path);
        var reference = ModelReference.Resolve(path);
        var described = ModelDescription.Read(reference);
        var run = RunFolder.IsRun(path) ? OfRun(path) : null;
        AdapterFacts? adapter = null;
        TemplateFeatures? template = null;
        MemoryForecast? memory = null;
        InputException? problem = null;
        try
        {
            adapter = reference.Adapter is { } folder ? OfAdapter(folder) : null;
            using var loaded = LoadedModel.Open(path);
            template = TemplateFeatures.Of(loaded.Text);
            memory = MemoryForecast.Of(loaded.Model);
        }
        catch (InputException e)
        {
            problem = e;
        }

        if (!terminal.Json)
        {
            ModelTable.Write(terminal, given, registered, described, template, adapter, run, memory, problem);
            return;
        }

        terminal.WriteJson(new
        {
            Model = given, Registered = registered, reference.Base, described.Kind, described.Name, described.Architecture, described.Parameters, described.Bytes, described.Types,
            described.ContextLength, described.Vocabulary, ChatTemplate = template, described.License, Adapter = adapter, Run = run, Memory = memory,
            Problem = problem is null ? null : ErrorReport.Of(problem),
        });
    }

    /// <summary>By the name that was given, or all names of the path; a list that cannot be read is no reason not to show a file.</summary>
    private static IReadOnlyList<RegisteredModel> Registered(string model)
    {
        var registry = new ModelRegistry();
        if (!Path.Exists(model) && registry.Find(model) is { } named)
        {
            return [named];
        }

        try
        {
            var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
            return model == BuiltInModel.Name ? [] : [.. registry.List().Where(m => m.Path == path)];
        }
        catch (InputException)
        {
            return [];
        }
    }

    private static AdapterFacts OfAdapter(string folder)
    {
        var adapter = PeftAdapter.Open(folder);
        var config = adapter.Config;
        return new AdapterFacts(
            folder, config.Rank, config.Alpha, config.UseRsLora, config.UseDora, config.Dropout, config.TargetPattern is { } pattern ? [pattern] : config.TargetModules,
            adapter.Modules.Count, adapter.File.Tensors.Sum(t => t.Elements), new FileInfo(adapter.File.Path).Length);
    }

    private static RunFacts OfRun(string path)
    {
        using var run = RunFolder.Open(path);
        var (recipe, state) = (run.ReadRecipe(), run.ReadState());
        return new RunFacts(path, state.Status, state.Step, recipe.Model ?? "", (recipe.Method ?? TrainingMethod.Lora).ToString().ToLowerInvariant(), recipe.Data ?? []);
    }
}
