using System.Text.Json;
using Apprentice.Server.Contracts;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server;

/// <summary>An answer as server-sent events, each with JSON as its data, as OpenAI's API streams it (HTML standard, 9.2).</summary>
internal sealed class EventStream(HttpResponse response)
{
    /// <summary>Sends the head of the answer with its first event.</summary>
    public async Task Send<T>(T data, CancellationToken cancellation)
    {
        if (!response.HasStarted)
        {
            response.ContentType = "text/event-stream; charset=utf-8";
            response.Headers.CacheControl = "no-cache";
            response.Headers["X-Accel-Buffering"] = "no"; // a proxy passes the events on at once
        }

        await response.Body.WriteAsync((byte[])[.. "data: "u8, .. JsonSerializer.SerializeToUtf8Bytes(data, ApiJson.Options), .. "\n\n"u8], cancellation);
        await response.Body.FlushAsync(cancellation);
    }

    public async Task End(CancellationToken cancellation) => await response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), cancellation);
}
