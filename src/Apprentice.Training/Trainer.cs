using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Apprentice.Data;
using Apprentice.Models.Registry;
using Apprentice.Models.Weights;
using Apprentice.Tensors;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Recipes;
using Apprentice.Training.Runs;

namespace Apprentice.Training;

/// <summary>Starts a run from a recipe, or continues one from its folder, and sees it to its end.</summary>
public static class Trainer
{
    /// <summary>Trains. When cancelled, finishes the step, saves, and returns with status paused.</summary>
    /// <exception cref="InputException">Recipe, model or data are not sound; nothing was written.</exception>
    /// <exception cref="RunFailedException">The run had to stop; its folder says why.</exception>
    public static TrainingSummary Train(Recipe recipe, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        using var model = OpenBase(recipe);
        var modelHashes = HashesOf(model);
        var data = TrainingData.Read(recipe, model.Text, progress, cancellation);
        var resolved = recipe.Resolve(new ModelFacts(model.Model.ParameterCount, model.Model.ContextLength), data.Facts);
        using var session = TrainingSession.Create(resolved, model, data);

        // Everything that can be refused has been; only now the run's folder appears.
        using var run = RunFolder.Create(resolved.Out);
        run.WriteRecipe(resolved);
        run.WriteLock(LockOf(resolved, model, modelHashes, data, session));
        return Finish(run, session, checkpoint: null, watch, progress, cancellation);
    }

    /// <summary>Continues from the newest whole checkpoint, or from the start where there is none; a finished run returns at once.</summary>
    /// <exception cref="InputException">The folder is no run, or model or data changed since it began.</exception>
    public static TrainingSummary Resume(string path, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        using var run = RunFolder.OpenForTraining(path);
        if (run.ReadState().Status == RunStatus.Succeeded)
        {
            var summary = run.ReadSummary();
            progress?.Report(new TrainingProgress { Step = summary.Steps, TotalSteps = summary.Steps, Message = "finished already: there is nothing to resume" });
            return summary;
        }

        var recipe = run.ReadRecipe();
        using var model = OpenBase(recipe);
        var modelHashes = HashesOf(model);
        var data = TrainingData.Read(recipe, model.Text, progress, cancellation);
        var resolved = recipe.Resolve(new ModelFacts(model.Model.ParameterCount, model.Model.ContextLength), data.Facts);
        using var session = TrainingSession.Create(resolved, model, data);
        var now = LockOf(resolved, model, modelHashes, data, session);
        if (File.Exists(run.LockFile))
        {
            var began = run.ReadLock();
            began.Verify(now, run.LockFile);
            Warn(began.ChangedSettings(now), progress);
        }
        else
        {
            run.WriteLock(now); // killed between recipe and lock
        }

        return Finish(run, session, run.Checkpoints(resolved.KeepCheckpoints).Latest(), watch, progress, cancellation);
    }

    private static LoadedModel OpenBase(Recipe recipe)
    {
        var path = recipe.Model!;
        var reference = ModelReference.Resolve(path);
        return reference.Adapter is null
            ? recipe.Method == TrainingMethod.Pretrain
                ? LoadedModel.OpenUntrained(path, (ulong)(recipe.Seed ?? RecipeDefaults.Seed))
                : LoadedModel.Open(path, trainable: recipe.Method == TrainingMethod.Full)
            : throw new InputException("adapter_as_base", "training starts from a base model; this is a run or an adapter", path, hint: $"its base is {reference.Base}");
    }

    private static TrainingSummary Finish(
        RunFolder run, TrainingSession session, Checkpoint? checkpoint, Stopwatch watch, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            run.WriteState(new RunState(RunStatus.Running, checkpoint?.Step ?? 0));
            progress?.Report(session.Describe(checkpoint));
            var summary = session.Run(run, checkpoint, progress, cancellation) with { DurationSeconds = watch.Elapsed.TotalSeconds };
            if (summary.Status == RunStatus.Succeeded)
            {
                summary = summary with { Model = RunRegistration.IdOf(run) };
                run.WriteSummary(summary);
            }

            run.WriteState(new RunState(summary.Status, summary.Steps, session.Reason));
            return summary;
        }
        catch (Exception e)
        {
            TryWriteFailure(run, session.StepsDone, e);
            throw;
        }
    }

    private static void TryWriteFailure(RunFolder run, int step, Exception failure)
    {
        try
        {
            run.WriteState(new RunState(RunStatus.Failed, step, failure.Message));
        }
        catch (Exception e) when (e is RunFailedException or IOException or UnauthorizedAccessException)
        {
            // The disk may be full: the failure itself is what the user must hear of.
        }
    }

    /// <summary>Begun while the data is read: a processor without instructions for SHA-256 reads 200 MB a second.</summary>
    private static Task<KeyValuePair<string, string>[]> HashesOf(LoadedModel model)
    {
        var files = model.Model.Source.Files.Concat(TextFiles(model)).Distinct().ToArray();
        return Task.Run(() => Array.ConvertAll(files, file => KeyValuePair.Create($"model/{Path.GetFileName(file)}", RunLock.HashFile(file))));
    }

    /// <summary>What must be the same for a resumed run to give the same bits.</summary>
    private static RunLock LockOf(
        ResolvedRecipe recipe, LoadedModel model, Task<KeyValuePair<string, string>[]> modelHashes, TrainingData data, TrainingSession session)
    {
        var runLock = new RunLock();
        foreach (var (file, hash) in modelHashes.GetAwaiter().GetResult())
        {
            runLock.Hashes[file] = hash;
        }

        // As given: two files of different folders may have one name.
        foreach (var file in recipe.Data.Concat(recipe.WarmupData ?? []).Concat(recipe.Anneal ?? []).Concat(recipe.Validation.File is { } held ? [held] : []))
        {
            runLock.Hashes[$"data/{file}"] = RunLock.HashFile(file);
        }

        if (data.SplitHash(recipe) is { } split)
        {
            runLock.Hashes["split"] = split;
        }

        runLock.Settings["version"] = typeof(Trainer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        runLock.Settings["seed"] = recipe.Seed.ToString(CultureInfo.InvariantCulture);
        runLock.Settings["model_path"] = Path.GetFullPath(model.Reference.Base);
        runLock.Settings["kernels/instruction_set"] = session.Engine.Simd.ToString();
        runLock.Settings["kernels/accelerator"] = session.Engine.Accelerator;
        runLock.Settings["kernels/micro_batch_tokens"] = session.MicroBatchTokens.ToString(CultureInfo.InvariantCulture);
        runLock.Settings["kernels/recompute"] = session.Recompute ? "on" : "off";
        runLock.Settings["kernels/share_prefixes"] = session.SharePrefixes ? "on" : "off";
        return runLock;
    }

    /// <summary>The run can go on with another version or instruction set, but then the same bits are not promised.</summary>
    private static void Warn(IEnumerable<RunLock.Difference> changed, IProgress<TrainingProgress>? progress)
    {
        var told = changed.Where(d => d.Name == "version" || d.Name.StartsWith("kernels/", StringComparison.Ordinal)).ToArray();
        if (told.Length > 0)
        {
            progress?.Report(new TrainingProgress
            {
                Step = 0,
                TotalSteps = 0,
                Message = $"not as when the run began, so its bits may differ: {string.Join("; ", told.Select(d => $"{d.Name} was {d.Was ?? "not there"}, is {d.Is ?? "not there"}"))}",
            });
        }
    }

    private static IEnumerable<string> TextFiles(LoadedModel model) => model.Reference.IsGguf
        ? []
        : new[] { "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja" }.Concat(TokenizerFolder.SentencePieceFiles)
            .Select(name => Path.Combine(model.Reference.Base, name)).Where(File.Exists);
}
