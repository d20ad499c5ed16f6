using Apprentice.Data;
using Apprentice.Training.Runs;

namespace Apprentice.Cli;

/// <summary>Turns whatever ended a command into one clear message, or one JSON object, and an exit code.</summary>
internal static class Errors
{
    public static int Report(Exception exception, Terminal terminal, CancellationToken cancel)
    {
        var (exit, report) = exception switch
        {
            InputException e => (ExitCode.BadInput, ErrorReport.Of(e)),
            RunFailedException e => (ExitCode.Failed, new ErrorReport(e.Code, e.Message, Hint: e.Hint)),
            OperationCanceledException when cancel.IsCancellationRequested =>
                (ExitCode.Interrupted, new ErrorReport("interrupted", "interrupted; nothing was left half-written", Hint: "to go on, run the command again")),
            FileNotFoundException or DirectoryNotFoundException =>
                (ExitCode.BadInput, new ErrorReport("file_not_found", exception.Message, (exception as FileNotFoundException)?.FileName)),
            IOException or UnauthorizedAccessException => (ExitCode.Failed, new ErrorReport("io_error", exception.Message)),
            _ => (ExitCode.Failed, new ErrorReport(
                "internal_error",
                $"{exception.GetType().Name}: {exception.Message}".ReplaceLineEndings(" "),
                Hint: "this is a fault of apprentice; with APPRENTICE_DEBUG=1 it prints where it happened")),
        };
        if (terminal.Json)
        {
            terminal.WriteJson(new { Error = report });
        }
        else
        {
            terminal.Error.WriteLine(report.ToString());
        }

        if (Environment.GetEnvironmentVariable("APPRENTICE_DEBUG") == "1")
        {
            terminal.Error.WriteLine(exception.ToString());
        }

        return exit;
    }
}
