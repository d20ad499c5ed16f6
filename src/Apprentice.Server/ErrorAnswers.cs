using Apprentice.Data;
using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Apprentice.Server;

/// <summary>Whatever goes wrong becomes an answer in the shape of OpenAI's errors, and a line in the log that repeats nothing of the request.</summary>
internal sealed class ErrorAnswers(RequestDelegate next, Telemetry telemetry, ILogger<ErrorAnswers> log)
{
    private const int ClientLeft = 499;

    public async Task InvokeAsync(HttpContext http)
    {
        http.TraceIdentifier = $"req_{Guid.NewGuid():N}";
        http.Response.Headers["x-request-id"] = http.TraceIdentifier;
        try
        {
            await next(http);
            if (!http.Response.HasStarted && Unanswered(http) is { } nobody)
            {
                await Answer(http, nobody);
            }
        }
        catch (Exception e)
        {
            if (e is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested)
            {
                if (!http.Response.HasStarted)
                {
                    http.Response.StatusCode = ClientLeft; // nobody reads it
                }

                return;
            }

            await Answer(http, Of(e, http));
        }
    }

    private static ApiException? Unanswered(HttpContext http) => http.Response.StatusCode switch
    {
        404 => new ApiException(404, $"Unknown request URL: {ApiException.Shown(http.Request.Method)} {ApiException.Shown(http.Request.Path.Value ?? "")}. Served are /v1/chat/completions, /v1/completions, /v1/models and /health.", code: "unknown_url"),
        405 => new ApiException(405, $"Not allowed to {ApiException.Shown(http.Request.Method)} on {ApiException.Shown(http.Request.Path.Value ?? "")}; allowed: {http.Response.Headers.Allow}.", code: "method_not_allowed"),
        _ => null,
    };

    private ApiException Of(Exception exception, HttpContext http)
    {
        switch (exception)
        {
            case ApiException e:
                return e;
            case BadHttpRequestException { StatusCode: 413 }:
                return new ApiException(413, "The body of your request is too large for this server.", code: "request_too_large");
            case BadHttpRequestException { StatusCode: 408 }:
                return RequestBody.TooSlow();
            case BadHttpRequestException e:
                return RequestBody.NotSound(e.StatusCode);
            case InputException { Code: "bad_keys" } e: // damaged while the server runs, which is no fault of the request
                log.KeysUnreadable(http.TraceIdentifier, e.Message);
                return new ApiException(500, $"The server cannot read its list of API keys; its log says more under {http.TraceIdentifier}.", code: "internal_error");
            case InputException { Code: "prompt_too_long" } e:
                return new ApiException(400, $"{e.Message}.", code: "context_length_exceeded");
            case InputException e: // a template that refuses the conversation, a value that only the generator knows to be wrong
                return new ApiException(400, $"{e.Message}.", code: e.Code);
            default:
                log.Failed(RouteOf(http), http.TraceIdentifier, exception.GetType().ToString(), exception.StackTrace);
                return new ApiException(500, $"The server had an error while processing your request; its log says more under {http.TraceIdentifier}.", code: "internal_error");
        }
    }

    private async Task Answer(HttpContext http, ApiException error)
    {
        telemetry.Refused(error.Status);
        log.Refused(error.Status, error.Code, MethodOf(http), RouteOf(http), AccessGate.KeyOf(http), http.TraceIdentifier);
        if (http.Response.HasStarted)
        {
            await new EventStream(http.Response).Send(error.Body(), http.RequestAborted); // the stream ends without [DONE]
            return;
        }

        if (error.Code is RequestBody.Unsound or RequestBody.Slow)
        {
            http.Response.Headers.Connection = "close"; // where the next request would begin is not known, or not yet
        }

        http.Response.StatusCode = error.Status;
        await ApiJson.Write(http.Response, error.Body(), http.RequestAborted);
    }

    // A stranger can send any method and any path; only known ones are logged.
    private static string MethodOf(HttpContext http) =>
        HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsPost(http.Request.Method) ? http.Request.Method : "other";

    private static string RouteOf(HttpContext http) => (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "unknown route";
}
