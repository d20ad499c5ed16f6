using System.Diagnostics;

namespace Apprentice.Tests.Training.Checkpoints;

/// <summary>A small file system in memory; the calling test is skipped, with the reason, where none can be mounted.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public string Path => folder.Path;

    /// <param name="size">As mount writes it, such as 1m.</param>
    public static SmallDisk Mount(string size = "1m")
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs Linux to mount a small disk");
        var disk = new SmallDisk();
        var (status, error) = Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", disk.Path);
        if (status != 0)
        {
            disk.folder.Dispose();
            Skip.If(true, $"a small disk cannot be mounted: {error}");
        }

        return disk;
    }

    public void Grow(string size) => Assert.Equal((0, ""), Run("mount", "-o", $"remount,size={size}", Path));

    public void MakeReadOnly() => Assert.Equal((0, ""), Run("mount", "-o", "remount,ro", Path));

    public void Dispose()
    {
        Run("umount", "-l", Path);
        folder.Dispose();
    }

    private static (int Status, string Error) Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, error.Trim());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
