using Apprentice.Data;
using Apprentice.Data.Files;

namespace Apprentice.Models.Hub;

/// <summary>
/// Where a model lies while it is downloaded: a hidden folder in the registry's, with what is needed to go on after a kill. One process
/// at a time has it. When all is there it becomes the model's own folder.
/// </summary>
internal sealed class DownloadFolder : IDisposable
{
    private const string Prefix = ".part-", HoldName = ".downloading";
    private readonly string _name;
    private readonly FileStream _hold;
    private bool _gone;

    private DownloadFolder(string path, string name, FileStream hold) => (Path, _name, _hold) = (path, name, hold);

    public string Path { get; }

    /// <summary>Makes or finds it, and removes what is left in it of other files.</summary>
    /// <param name="modelsFolder">The registry's.</param>
    /// <param name="name">The model's.</param>
    /// <param name="files">Names of what is to be downloaded; null: all that is there stays.</param>
    /// <exception cref="InputException">Code <c>download_busy</c> or <c>bad_path</c>.</exception>
    public static DownloadFolder Open(string modelsFolder, string name, IReadOnlyCollection<string>? files)
    {
        var path = PathOf(modelsFolder, name);
        try
        {
            Directory.CreateDirectory(path);
            var folder = new DownloadFolder(path, name, Hold(path));
            foreach (var entry in Directory.GetFiles(path).Where(e => System.IO.Path.GetFileName(e) is var n && n != HoldName && files?.Any(f => PartFile.IsOf(n, f)) == false))
            {
                File.Delete(entry);
            }

            return folder;
        }
        catch (Exception e) when ((e is IOException io && !DiskSpace.IsFull(io)) || e is UnauthorizedAccessException)
        {
            throw Unwritable.Error(path, e);
        }
    }

    /// <summary>Where an unfinished download of that name lies, or would.</summary>
    public static string PathOf(string modelsFolder, string name) => System.IO.Path.Combine(modelsFolder, Prefix + FolderName(name));

    /// <summary>Those that are there.</summary>
    public static IReadOnlyList<UnfinishedDownload> Unfinished(string modelsFolder) => !Directory.Exists(modelsFolder) ? [] :
    [
        .. Directory.GetDirectories(modelsFolder, $"{Prefix}*").Order(StringComparer.Ordinal)
            .Select(path => new UnfinishedDownload(System.IO.Path.GetFileName(path)[Prefix.Length..], BytesOf(path))),
    ];

    public static long BytesOf(string path) => Directory.GetFiles(path).Sum(f => new FileInfo(f).Length);

    /// <summary>Makes it a folder of its own, beside those that are there. No other process looks at it before its name is registered.</summary>
    public string Finish()
    {
        foreach (var origin in Directory.GetFiles(Path, "*.part.json"))
        {
            File.Delete(origin);
        }

        var whole = Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? FolderName(_name) : $"{FolderName(_name)}-{i}")
            .Select(n => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, n)).First(p => !System.IO.Path.Exists(p));
        if (OperatingSystem.IsWindows())
        {
            _hold.Dispose(); // it moves no folder with an open file in it
        }

        Directory.Move(Path, whole);
        _gone = true;
        File.Delete(System.IO.Path.Combine(whole, HoldName));
        return whole;
    }

    /// <summary>Removes it with all that has come.</summary>
    public void Delete()
    {
        if (OperatingSystem.IsWindows())
        {
            _hold.Dispose(); // it deletes no open file
        }

        Directory.Delete(Path, recursive: true);
        _gone = true;
    }

    /// <summary>What has come stays for the next attempt; a folder in which nothing is goes.</summary>
    public void Dispose()
    {
        if (!_gone && Directory.GetFiles(Path).All(f => System.IO.Path.GetFileName(f) == HoldName))
        {
            Delete();
        }

        _hold.Dispose();
    }

    /// <summary>A name of a model has letters, digits and <c>. _ - : /</c>.</summary>
    private static string FolderName(string name) => name.Replace(':', '-').Replace('/', '-');

    private static FileStream Hold(string path) => FileLock.TryTake(System.IO.Path.Combine(path, HoldName))
        ?? throw new InputException("download_busy", "another process is downloading a model of this name", path, hint: "wait until it is done, or give another --name");
}
