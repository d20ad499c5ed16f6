using System.Text.RegularExpressions;
using Apprentice.Data;

namespace Apprentice.Cli;

/// <summary>The <c>error</c> object of <c>--json</c>, and how people read it.</summary>
internal sealed record ErrorReport(string Code, string Message, string? File = null, long? Line = null, string? Hint = null)
{
    public static ErrorReport Of(InputException e) => new(e.Code, e.Message, e.File, e.Line, e.Hint);

    /// <summary>As compilers write it, so that editors can jump to the line: <c>file:line: message</c>; without the hint.</summary>
    public string Said()
    {
        var place = File is not null && (Line is not null || !Names(Message, File)) ? $"{File}{(Line is null ? "" : $":{Line}")}: " : "";

        // Some readers say the line in the message too: "line 3: …" or "line 3, column 5: …".
        var repeated = $"line {Line}";
        return place + (Line is not null && Message.StartsWith(repeated, StringComparison.Ordinal) && Message[repeated.Length..] is [':' or ',', ' ', .. var rest] ? rest : Message);
    }

    public override string ToString() => $"error: {Said()}{(Hint is null ? "" : $"\nhint: {Hint}")}";

    // As a word of its own: "there is no model" does not name the folder "m".
    private static bool Names(string message, string file) =>
        Regex.IsMatch(message, $@"(?<![\w./\\-]){Regex.Escape(file)}(?![\w/\\-])", RegexOptions.None, TimeSpan.FromSeconds(1));
}
