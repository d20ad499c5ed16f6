using System.Diagnostics;
using System.Text.Json;
using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Registry;

/// <summary>
/// The list of models: <c>models.json</c> in the home folder. It is replaced as a whole, so a reader needs no lock; writers wait for one
/// another at a lock that the system drops when a process ends, however it ends.
/// </summary>
internal sealed class RegistryFile(string home)
{
    private const int LargestFile = 16 << 20;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    private string FileName => Path.Combine(home, "models.json");

    /// <summary>Reads, changes and writes the list, and does what is to be done then, while no other process does.</summary>
    /// <exception cref="InputException">Code <c>registry_busy</c>, <c>bad_registry</c> or <c>bad_path</c>.</exception>
    public void Change(Action<List<RegisteredModel>> change, Action then)
    {
        try
        {
            Directory.CreateDirectory(home);
            using var hold = Hold();
            var models = Read();
            change(models);
            AtomicFile.Write(FileName, stream => JsonSerializer.Serialize(stream, new Contents(models), Json));
            then();
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(home, e);
        }
    }

    private FileStream Hold()
    {
        var file = Path.Combine(home, "models.lock");
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.GetType() == typeof(IOException) && !DiskSpace.IsFull(e) && !Unwritable.IsReadOnlyDisk(e))
            {
                if (waited.Elapsed > LongestWait)
                {
                    throw new InputException("registry_busy", "another process has been changing the list of models for long", file, hint: "wait until it is done, or stop it");
                }

                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Empty where there is no file.</summary>
    /// <exception cref="InputException">Code <c>bad_registry</c>: it is damaged.</exception>
    public List<RegisteredModel> Read()
    {
        byte[] bytes;
        try
        {
            using var file = new FileStream(FileName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > LargestFile)
            {
                throw Damaged($"it has {file.Length:N0} bytes");
            }

            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Damaged(e.Message);
        }

        StrictJson.Parse(bytes, out var problem);
        if (problem is not null)
        {
            throw Damaged(problem.Message);
        }

        try
        {
            var models = JsonSerializer.Deserialize<Contents>(bytes, Json)?.Models ?? throw Damaged("it has no list of models");
            return models.Find(m => m is null || !ModelName.IsValid(m.Name) || !Path.IsPathFullyQualified(m.Path) || m.Path.Contains('\0', StringComparison.Ordinal)) is { } wrong
                ? throw Damaged($"the model '{wrong.Name}' has no proper name or no absolute path")
                : models.Contains(null!) ? throw Damaged("a model is null")
                : models.DistinctBy(m => m.Name).Count() < models.Count ? throw Damaged("a name is there twice")
                : models;
        }
        catch (JsonException e)
        {
            throw Damaged(StrictJson.Reason(e));
        }
    }

    private InputException Damaged(string why) => new("bad_registry", $"the list of models cannot be read: {why}", FileName, hint: "mend the file, or move it away: the models themselves are where they were");

    private sealed record Contents(List<RegisteredModel> Models);
}
