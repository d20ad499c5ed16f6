using System.Text;
using System.Text.RegularExpressions;
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
            InputException e => (ExitCode.BadInput, new ErrorReport(e.Code, e.Message, e.File, e.Line, e.Hint)),
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

    /// <summary>The <c>error</c> object of <c>--json</c>.</summary>
    private sealed record ErrorReport(string Code, string Message, string? File = null, long? Line = null, string? Hint = null)
    {
        /// <summary>As compilers write it, so that editors can jump to the line: <c>error: file:line: message</c>.</summary>
        public override string ToString()
        {
            var text = new StringBuilder("error: ");
            if (File is not null && (Line is not null || !Names(Message, File)))
            {
                text.Append(File).Append(Line is null ? "" : $":{Line}").Append(": ");
            }

            // Some readers say the line in the message too: "line 3: …" or "line 3, column 5: …".
            var repeated = $"line {Line}";
            text.Append(Line is not null && Message.StartsWith(repeated, StringComparison.Ordinal) && Message[repeated.Length..] is [':' or ',', ' ', .. var rest] ? rest : Message);
            return (Hint is null ? text : text.Append("\nhint: ").Append(Hint)).ToString();
        }

        // As a word of its own: "there is no model" does not name the folder "m".
        private static bool Names(string message, string file) =>
            Regex.IsMatch(message, $@"(?<![\w./\\-]){Regex.Escape(file)}(?![\w/\\-])", RegexOptions.None, TimeSpan.FromSeconds(1));
    }
}
