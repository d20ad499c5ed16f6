using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;
using Apprentice.Models.Registry;
using Apprentice.Training.Checkpoints;
using Apprentice.Training.Recipes;

namespace Apprentice.Training.Runs;

/// <summary>
/// The folder of one run: where each of its files lies, and the small ones read and written. Opened for reading by
/// anyone; opened for training by one process at a time, which holds it until it is disposed or dies.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private const string HoldName = ".training";
    private readonly FileStream? hold;

    private RunFolder(string path, FileStream? hold)
    {
        Path = path;
        this.hold = hold;
    }

    /// <summary>As the user gave it.</summary>
    public string Path { get; }

    public string RecipeFile => In("recipe.yaml");
    public string LockFile => In("lock.json");
    public string StateFile => In("state.json");
    public string EventsFile => In("events.jsonl");
    public string SummaryFile => In("summary.json");
    public string CheckpointsFolder => In("checkpoints");

    /// <summary>The best adapter, in PEFT's format.</summary>
    public string AdapterFolder => In("adapter");

    /// <summary>The best model of a full fine-tuning, a Hugging Face folder.</summary>
    public string ModelFolder => In("model");

    /// <summary>
    /// Whether the folder is a run, begun or done. It becomes one when its recipe is written, which is why that comes first.
    /// A recipe alone is somebody's own: a run also has its hold, or, where it was copied without hidden files, its state.
    /// </summary>
    public static bool IsRun(string path) =>
        Has(path, "recipe.yaml") && (Has(path, HoldName) || Has(path, "state.json"));

    /// <summary>The recipe of a run, whose settings hold for its answers, too, unless somebody says otherwise; null where the model is no run.</summary>
    /// <param name="model">A model reference.</param>
    public static Recipe? RecipeOf(string model) => ModelReference.Locate(model) is var path && IsRun(path) ? Open(path).ReadRecipe() : null;

    /// <summary>Makes the folder of a new run and holds it for training. A folder that is there already must be empty.</summary>
    /// <exception cref="InputException">Code <c>run_exists</c>, <c>run_busy</c> or <c>bad_path</c>.</exception>
    public static RunFolder Create(string path)
    {
        RefuseIfUsed(path);
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(path, e);
        }

        var run = new RunFolder(path, Hold(path));
        try
        {
            RefuseIfUsed(path); // another process may have begun, and even ended, since the first look
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>Opens a run to look at it or use its model; it may be training meanwhile.</summary>
    /// <exception cref="InputException">Code <c>not_a_run</c>.</exception>
    public static RunFolder Open(string path) => IsRun(path)
        ? new RunFolder(path, null)
        : throw new InputException("not_a_run",
            Directory.Exists(path) ? "this folder is no run" : "there is no run of that name", path,
            hint: "a run folder is made by: apprentice train … --out runs/NAME");

    /// <summary>Opens a run to go on training: holds it, and removes what a killed program left half-written.</summary>
    /// <exception cref="InputException">Code <c>not_a_run</c>, or <c>run_busy</c> when another process is training it.</exception>
    public static RunFolder OpenForTraining(string path)
    {
        using var look = Open(path);
        var run = new RunFolder(path, Hold(path));
        AtomicDirectory.CleanUp(path);
        AtomicDirectory.CleanUp(run.CheckpointsFolder);
        return run;
    }

    /// <summary>Whether a process is training it now. A run that is "running" but not held was killed.</summary>
    public bool IsHeld()
    {
        if (hold is not null)
        {
            return true;
        }

        if (!File.Exists(In(HoldName)))
        {
            return false;
        }

        try
        {
            Hold(Path).Dispose();
            return false;
        }
        catch (InputException e)
        {
            return e.Code == "run_busy";
        }
    }

    public CheckpointStore Checkpoints(int keep = 2) => new(CheckpointsFolder, keep);

    public Recipe ReadRecipe() => Recipe.Load(RecipeFile);

    public void WriteRecipe(ResolvedRecipe recipe) => AtomicFile.WriteText(RecipeFile, recipe.ToYaml());

    /// <summary>Queued, where a kill came before the first state was written.</summary>
    public RunState ReadState() => File.Exists(StateFile) ? ReadJson<RunState>(StateFile) : new RunState(RunStatus.Queued);

    public void WriteState(RunState state) => WriteJson(StateFile, state);

    /// <summary>What the finished run gave.</summary>
    public TrainingSummary ReadSummary() => ReadJson<TrainingSummary>(SummaryFile) with { Run = Path };

    public void WriteSummary(TrainingSummary summary) => WriteJson(SummaryFile, summary);

    public RunLock ReadLock() => ReadJson<RunLock>(LockFile);

    public void WriteLock(RunLock runLock) => WriteJson(LockFile, runLock);

    public void Dispose() => hold?.Dispose();

    private static bool Has(string folder, string name) => File.Exists(System.IO.Path.Combine(folder, name));

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private static void RefuseIfUsed(string path)
    {
        var used = File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path)
            .Select(e => System.IO.Path.GetFileName(e)).Any(name => name != HoldName && !AtomicDirectory.IsAside(name)));
        if (used)
        {
            throw new InputException("run_exists", "there is something there already, and a run is never overwritten", path,
                hint: IsRun(path) ? $"give another --out, or go on with it: apprentice resume {path}" : "give another --out");
        }
    }

    private static FileStream Hold(string path)
    {
        var file = System.IO.Path.Combine(path, HoldName);
        try
        {
            return FileLock.TryTake(file) ?? throw new InputException("run_busy", "another process is training this run", path, hint: "wait until it is done, or stop it");
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(file, inner: e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException || Unwritable.IsReadOnlyDisk(e))
        {
            throw Unwritable.Error(path, e);
        }
    }

    private static void WriteJson<T>(string file, T value) =>
        AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, value, CheckpointState.Json));

    private static T ReadJson<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(file), CheckpointState.Json) ?? throw new JsonException("it is null");
        }
        catch (FileNotFoundException)
        {
            throw new InputException("not_a_run", $"the run has no {System.IO.Path.GetFileName(file)}", file);
        }
        catch (JsonException e)
        {
            throw new InputException("bad_run", $"the file cannot be read: {e.Message}", file, e.LineNumber + 1);
        }
    }
}
