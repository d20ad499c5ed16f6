using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Data.Datasets;
using Apprentice.Data.Files;
using Apprentice.Data.Metrics;
using Apprentice.Evaluation;
using Apprentice.Models.Generation;
using Apprentice.Models.Registry;
using Apprentice.Tensors;
using Apprentice.Training;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Cli.Commands;

/// <summary>What the commands that run a model do, apart from options and printing.</summary>
internal static class Work
{
    public static IReadOnlyList<GenerationResult> Generate(GenerateRequest request, Action<string>? show, CancellationToken cancel)
    {
        using var model = LoadedModel.Open(request.Model, adapter: request.Adapter);
        using var engine = new Engine(request.Threads);
        var run = RunFolder.RecipeOf(request.Model);
        var prompts = request.Prompts.Select(p => request.Raw || run?.Raw == true ? model.RawPromptIds(p) : model.PromptIds(Messages(request.System ?? run?.System, p))).ToArray();
        return new TextGenerator(model, engine).Run(prompts, request.Sampling, show is null ? null : (_, text) => show(text), cancellation: cancel);
    }

    /// <summary>A run that has succeeded is made known by its id. Where that is not possible it has succeeded all the same, and the reason is told.</summary>
    public static TrainingSummary Registered(TrainingSummary summary, IProgress<TrainingProgress> progress)
    {
        if (summary.Status != RunStatus.Succeeded)
        {
            return summary;
        }

        try
        {
            return summary with { Model = RunRegistration.Register(summary.Run).Name };
        }
        catch (Exception e) when (e is InputException or RunFailedException or IOException or UnauthorizedAccessException)
        {
            var reason = e is InputException input ? ErrorReport.Of(input).Said() : e.Message;
            progress.Report(new TrainingProgress { Step = summary.Steps, TotalSteps = summary.Steps, Message = $"not registered, so it has no id: {reason}; later: apprentice models add {summary.Run}" });
            return summary with { Model = null };
        }
    }

    public static EvaluationSummary Evaluate(EvaluateRequest request, IProgress<double> progress, CancellationToken cancel)
    {
        RequireWritable(request.Out);
        var run = RunFolder.RecipeOf(request.Model);
        var names = request.Metrics.Count > 0 ? request.Metrics : [run?.Metric ?? "exact_match"];
        var metrics = names.Distinct().Select(Metric.Find).ToArray();
        var columns = request.Columns.Count > 0 ? request.Columns : run?.Columns;
        var examples = request.Data.Count > 0 ? ReadHeldOut(request.Data, request.Format, columns, run) : run is null ? [] : TestOf(request.Model, run);
        if (examples.Count == 0)
        {
            throw new InputException("no_test_examples", "there is nothing to judge by", hint: "name a file of examples with --data; a run whose recipe says test: 0.1 or test: FILE needs none");
        }

        using var model = LoadedModel.Open(request.Model, adapter: request.Adapter);
        using var engine = new Engine(request.Threads);
        var answers = Evaluator.Run(model, engine, examples, metrics, request.Sampling, request.Raw || run?.Raw == true, request.System ?? run?.System, progress, cancel);
        if (request.Out is { } file)
        {
            AtomicFile.WriteText(file, Evaluator.Rows(answers));
        }

        return Evaluator.Summarize(answers, metrics);
    }

    /// <summary>
    /// Held-out examples. Where no format is given and a file is preference data, a run that learned the preferred answers of such
    /// data is judged by those.
    /// </summary>
    public static IReadOnlyList<Example> ReadHeldOut(IReadOnlyList<string> files, DataFormat format, IReadOnlyDictionary<string, string>? columns, Recipe? run)
    {
        return [.. files.SelectMany(file => ReadFile(file).Examples)];

        Dataset ReadFile(string file)
        {
            try
            {
                return DatasetReader.Read(file, TrainingData.FormatOf(format), columns);
            }
            catch (InputException e) when (e.Code == "preference_data" && format == DataFormat.Auto && run?.Format == DataFormat.Preference)
            {
                return DatasetReader.Read(file, DatasetFormat.Preference, columns);
            }
        }
    }

    /// <summary>A share of files that have changed would be another one than was kept, with examples in it that were trained on.</summary>
    public static IReadOnlyList<Example> TestOf(string model, Recipe recipe)
    {
        var examples = TrainingData.ReadTest(recipe);
        var began = RunFolder.Open(ModelReference.Locate(model)).ReadLock();
        var changed = recipe.Test?.File is null && examples.Count > 0 ? recipe.Data!.FirstOrDefault(file => began.Hashes.GetValueOrDefault($"data/{file}") != RunLock.HashFile(file)) : null;
        return changed is null ? examples : throw new InputException(
            "lock_changed", "the data is not what it was when the run began, so examples that it was trained on would be in its test", changed, hint: "keep the test in a file of its own: --data FILE");
    }

    /// <summary>Before the work is done, not when its result is to be written.</summary>
    public static void RequireWritable(string? outFile)
    {
        if (outFile is not null)
        {
            RequireFolderOf(outFile);
            AtomicFile.RequireWritable(outFile);
        }
    }

    /// <summary>The same for a folder, which may be there if it is empty.</summary>
    public static void RequireNewFolder(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        RequireFolderOf(path);
        if (File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
        {
            throw new InputException("out_exists", "something is there already, and is not overwritten", path, hint: "give another --out, or remove it first");
        }

        AtomicFile.RequirePlace(path);
    }

    /// <summary>The folder appears whole or not at all.</summary>
    public static void WriteFolder(string path, Action<string> write)
    {
        try
        {
            AtomicDirectory.Write(path, write);
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(path, inner: e);
        }
    }

    public static void RequireFolderOf(string outFile)
    {
        if (Path.GetDirectoryName(outFile) is { Length: > 0 } folder && !Directory.Exists(folder))
        {
            throw new InputException("folder_not_found", "there is no such folder to write into", outFile,
                hint: MissingFile.Near(folder) is { } near && Directory.Exists(near) ? MissingFile.DidYouMean(Path.Combine(near, Path.GetFileName(outFile))) : $"make it first: mkdir -p {folder}");
        }
    }

    private static List<JsonObject> Messages(string? system, string prompt)
    {
        var messages = new List<JsonObject>();
        if (system is not null)
        {
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = system });
        }

        messages.Add(new JsonObject { ["role"] = "user", ["content"] = prompt });
        return messages;
    }
}
