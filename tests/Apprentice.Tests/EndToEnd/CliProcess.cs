using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Apprentice.Tests.EndToEnd;

/// <summary>What a finished process left behind.</summary>
internal sealed record CliResult(int Exit, string Output, string Error)
{
    /// <summary>The one JSON object on standard output; fails where anything else is there.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;
}

/// <summary>
/// The real command line as a process of its own. It can be interrupted or killed, at once or when a line appears on
/// either of its outputs, and it never outlives the test.
/// </summary>
internal sealed partial class CliProcess : IDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(10);
    private readonly Process process = new();
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Seen)> watches = [];

    private CliProcess(ProcessStartInfo start)
    {
        process.StartInfo = start;
        process.OutputDataReceived += (_, e) => Take(output, e.Data);
        process.ErrorDataReceived += (_, e) => Take(error, e.Data);
    }

    /// <summary>The id, for looking at its memory or open files.</summary>
    public int Id => process.Id;

    /// <summary>Standard error as far as it has come.</summary>
    public string ErrorSoFar
    {
        get
        {
            lock (watches)
            {
                return error.ToString();
            }
        }
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<CliResult> RunAsync(params string[] args)
    {
        using var cli = Start(args);
        return await cli.WaitAsync();
    }

    /// <summary>Starts it, with variables added to its environment, and what it reads on standard input.</summary>
    public static CliProcess Start(string[] args, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, string input = "") =>
        // The reference to the command line's project puts its program beside the tests.
        StartProgram("dotnet", [Path.Combine(AppContext.BaseDirectory, "apprentice.dll"), .. args], environment, folder, input);

    /// <summary>Starts another program in the same way, such as an installed copy.</summary>
    public static CliProcess StartProgram(string program, string[] args, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, string input = "")
    {
        var start = new ProcessStartInfo(program, args)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var cli = new CliProcess(start);
        cli.process.Start();
        cli.process.StandardInput.Write(input);
        cli.process.StandardInput.Close();
        cli.process.BeginOutputReadLine();
        cli.process.BeginErrorReadLine();
        return cli;
    }

    /// <summary>Waits for the first line, from the start on, that is wanted; fails when the process ends without it.</summary>
    public async Task<string> LineAsync(Func<string, bool> wanted, TimeSpan? timeout = null)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (watches)
        {
            watches.Add((wanted, seen));
            if ($"{output}\n{error}".Split('\n').FirstOrDefault(wanted) is { } line)
            {
                return line;
            }
        }

        using var limit = new CancellationTokenSource(timeout ?? DefaultTimeout);
        var ended = process.WaitForExitAsync(limit.Token);
        await Task.WhenAny(seen.Task, ended);
        return seen.Task.IsCompletedSuccessfully ? await seen.Task
            : throw new TimeoutException($"the line did not come in time or before the end.\n{Outputs()}");
    }

    /// <summary>As Ctrl-C does.</summary>
    public void Interrupt(int times = 1)
    {
        Skip.If(IgnoresInterrupts(), "Ctrl-C is ignored here, as in background jobs of scripts, whose programs inherit that");
        Signal(2);
        for (; times > 1; times--)
        {
            _ = NativeKill(process.Id, 2); // it may have ended by the first
        }
    }

    /// <summary>As a service manager ends a program; it reaches background jobs, too, where Ctrl-C is ignored.</summary>
    public void Terminate() => Signal(15);

    /// <summary>As kill -9 does: nothing of it runs on.</summary>
    public void Kill() => Signal(9);

    /// <summary>Waits for the end; a process that takes longer is killed and the test fails.</summary>
    public async Task<CliResult> WaitAsync(TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? DefaultTimeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill();
            throw new TimeoutException($"the process did not end in time.\n{Outputs()}", e);
        }

        lock (watches)
        {
            return new CliResult(process.ExitCode, output.ToString(), error.ToString());
        }
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    private void Take(StringBuilder text, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (watches)
        {
            text.Append(line).Append('\n');
            foreach (var watch in watches.Where(w => w.Wanted(line)))
            {
                watch.Seen.TrySetResult(line);
            }
        }
    }

    private string Outputs()
    {
        lock (watches)
        {
            return $"standard output:\n{output}\nstandard error:\n{error}";
        }
    }

    private bool IgnoresInterrupts() => OperatingSystem.IsLinux() && File.ReadLines($"/proc/{process.Id}/status")
        .Where(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))
        .Any(line => (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 0b10) != 0);

    private void Signal(int signal)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such signals");
        if (NativeKill(process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"signal {signal} was not delivered: the process has ended.\n{Outputs()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int NativeKill(int process, int signal);
}
