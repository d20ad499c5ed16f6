using System.Diagnostics;
using System.Text.Json;
using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Apprentice.Server;

/// <summary>Requests under way: so many at once, none for longer than is allowed, each measured and logged.</summary>
internal sealed class RequestTurns(ServerOptions options, Telemetry telemetry, ILogger<RequestTurns> log)
{
    private int _taken;

    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Whether the server was asked to stop.</summary>
    public bool IsStopping { get; private set; }

    public void Stop()
    {
        IsStopping = true;
        log.Stopping(Taken, options.ShutdownTimeout.TotalSeconds);
    }

    /// <summary>Answers a request if there is a turn for it; its token ends when the client leaves or its time is over.</summary>
    /// <exception cref="ApiException">429: all turns are taken. 504: it took too long.</exception>
    public async Task Take(HttpContext http, Func<CancellationToken, Task> answer)
    {
        using var over = new CancellationTokenSource(options.RequestTimeout);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, over.Token);
        try
        {
            if (Interlocked.Increment(ref _taken) > options.MaxRequests)
            {
                http.Response.Headers.RetryAfter = "1";
                throw new ApiException(429, $"The server has {options.MaxRequests} requests under way, which is as many as it takes. Please try again later.", code: "rate_limit_exceeded");
            }

            await answer(left.Token);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            throw new ApiException(504, $"The request took longer than the {options.RequestTimeout.TotalSeconds:0} seconds that are allowed. Ask for a shorter answer, or for fewer.", code: "request_timeout");
        }
        finally
        {
            Interlocked.Decrement(ref _taken);
        }
    }

    /// <summary>Measures and logs what is answered, without prompts and answers unless these are to be logged.</summary>
    /// <param name="prompt">What was asked, to be logged as JSON.</param>
    /// <param name="answer">Answers; returns the text.</param>
    public async Task Observe(HttpContext http, Answering answering, string operation, bool stream, object prompt, Func<Task<string>> answer)
    {
        var id = http.TraceIdentifier;
        if (options.LogPrompts)
        {
            log.Prompt(id, JsonSerializer.Serialize(prompt, ApiJson.Options));
        }

        using var trace = telemetry.Start(operation, answering.Model);
        var began = Stopwatch.GetTimestamp();
        string? error = "failed";
        try
        {
            var text = await answer();
            error = null;
            if (options.LogPrompts)
            {
                log.Answer(id, JsonSerializer.Serialize(text, ApiJson.Options));
            }
        }
        catch (OperationCanceledException)
        {
            error = http.RequestAborted.IsCancellationRequested ? "client_left" : "timeout";
            throw;
        }
        finally
        {
            var elapsed = Stopwatch.GetElapsedTime(began);
            var usage = answering.Usage;
            telemetry.Count(trace, operation, answering, elapsed, error);
            log.Answered(
                operation, error ?? "done", answering.Model.Name, usage.PromptTokens, usage.PromptTokensDetails.CachedTokens, usage.CompletionTokens, answering.Choices,
                answering.ToFirst?.TotalSeconds, elapsed.TotalSeconds, stream, AccessGate.KeyOf(http), id);
        }
    }
}
