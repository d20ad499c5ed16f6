using Microsoft.Extensions.Logging;

namespace Apprentice.Server;

/// <summary>What the server logs. Only what the server itself knows goes in: names of served models, never what a request says.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information, "{Operation} {Outcome}: model {Model}, {Prompt} prompt tokens ({Cached} cached), {Completion} generated in {Choices} answers, first after {ToFirst:0.000} s, all after {Seconds:0.000} s, stream {Stream}, key {Key}, request {Request}")]
    public static partial void Answered(
        this ILogger log, string operation, string outcome, string model, int prompt, int cached, int completion, int choices, double? toFirst, double seconds, bool stream, string key, string request);

    [LoggerMessage(2, LogLevel.Warning, "refused with {Status} {Code}: {Method} {Route}, key {Key}, request {Request}")]
    public static partial void Refused(this ILogger log, int status, string? code, string method, string route, string key, string request);

    [LoggerMessage(3, LogLevel.Information, "prompt of request {Request}: {Prompt}")]
    public static partial void Prompt(this ILogger log, string request, string prompt);

    [LoggerMessage(4, LogLevel.Information, "answer to request {Request}: {Answer}")]
    public static partial void Answer(this ILogger log, string request, string answer);

    // Not the exception's message: it could repeat a prompt.
    [LoggerMessage(5, LogLevel.Error, "failed: {Route}, request {Request}: {Type}\n{Trace}")]
    public static partial void Failed(this ILogger log, string route, string request, string type, string? trace);

    [LoggerMessage(6, LogLevel.Information, "stopping: {Requests} requests are under way and have {Seconds} s to end")]
    public static partial void Stopping(this ILogger log, int requests, double seconds);

    [LoggerMessage(7, LogLevel.Error, "request {Request} could not be let in: {Why}")]
    public static partial void KeysUnreadable(this ILogger log, string request, string why);
}
