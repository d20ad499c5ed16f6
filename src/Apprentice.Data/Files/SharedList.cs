using System.Diagnostics;
using System.Text.Json;

namespace Apprentice.Data.Files;

/// <summary>
/// A list in a JSON file that several processes read and change. It is replaced as a whole, so a reader needs no lock; writers wait for
/// one another (<see cref="FileLock"/>).
/// </summary>
/// <param name="file">The file; its folder is made when something is first written.</param>
/// <param name="field">The field of the file's object that holds the list.</param>
/// <param name="what">What it is a list of, for messages.</param>
/// <param name="wrong">What is wrong with a list that was read, or null.</param>
/// <param name="damaged">Makes the error of a file that cannot be read, from why.</param>
/// <param name="secret">Whether only its owner may read it.</param>
public sealed class SharedList<T>(string file, string field, string what, Func<IReadOnlyList<T>, string?> wrong, Func<string, InputException> damaged, bool secret = false)
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

    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(file))!;

    public string File => file;

    /// <summary>Reads, changes and writes the list, and does what is to be done then, while no other process does.</summary>
    /// <exception cref="InputException">Code <c>registry_busy</c> or <c>bad_path</c>, or the file is damaged.</exception>
    public void Change(Action<List<T>> change, Action? then = null)
    {
        try
        {
            Directory.CreateDirectory(_folder);
            using var hold = Hold();
            var list = ReadList();
            change(list);
            AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, new Dictionary<string, List<T>> { [field] = list }, Json), secret);
            then?.Invoke();
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(_folder, e);
        }
    }

    /// <summary>Empty where there is no file.</summary>
    /// <exception cref="InputException">The file is damaged.</exception>
    public IReadOnlyList<T> Read() => ReadList();

    private List<T> ReadList()
    {
        byte[] bytes;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > LargestFile)
            {
                throw damaged($"it has {stream.Length:N0} bytes");
            }

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw damaged(e.Message);
        }

        StrictJson.Parse(bytes, out var problem);
        if (problem is not null)
        {
            throw damaged(problem.Message);
        }

        try
        {
            var list = JsonSerializer.Deserialize<Dictionary<string, List<T>>>(bytes, Json)?.GetValueOrDefault(field) ?? throw damaged($"it has no list of {what}");
            return list.Exists(one => one is null) ? throw damaged($"an entry of its list of {what} is null")
                : wrong(list) is { } why ? throw damaged(why)
                : list;
        }
        catch (JsonException e)
        {
            throw damaged(StrictJson.Reason(e));
        }
    }

    private FileStream Hold()
    {
        var lockFile = Path.ChangeExtension(file, ".lock");
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if (FileLock.TryTake(lockFile) is { } hold)
            {
                return hold;
            }

            if (waited.Elapsed > LongestWait)
            {
                throw new InputException("registry_busy", $"another process has been changing the list of {what} for long", lockFile, hint: "wait until it is done, or stop it");
            }

            Thread.Sleep(20);
        }
    }
}
