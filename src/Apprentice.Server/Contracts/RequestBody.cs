using System.Text.Json.Nodes;
using Apprentice.Data;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Contracts;

/// <summary>The body of a request: one JSON object, in UTF-8.</summary>
internal static class RequestBody
{
    /// <summary>Codes of errors after which nothing more can be read from a connection.</summary>
    public const string Unsound = "bad_request", Slow = "request_too_slow";

    /// <param name="cancellation">Ends when the client leaves or the request's time is over.</param>
    /// <exception cref="ApiException">400 or 415: it is none. 408: it had not come when the time was over.</exception>
    /// <exception cref="BadHttpRequestException">It is too large, or comes too slowly.</exception>
    public static async Task<RequestFields> Read(HttpContext http, CancellationToken cancellation)
    {
        // Only this type: a browser asks before it sends it to another site than the page's own.
        if (!http.Request.HasJsonContentType())
        {
            throw new ApiException(415, "Unsupported content type: send a JSON object with the header 'Content-Type: application/json'.", code: "unsupported_content_type");
        }

        if (http.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new ApiException(415, "Unsupported content encoding: send the body as it is, without 'Content-Encoding'.", code: "unsupported_content_encoding");
        }

        using var bytes = new MemoryStream();
        try
        {
            await http.Request.Body.CopyToAsync(bytes, cancellation);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            throw TooSlow();
        }
        catch (IOException e) when (e is not BadHttpRequestException && !http.RequestAborted.IsCancellationRequested)
        {
            throw NotSound(); // a chunk longer than any number says
        }

        var json = StrictJson.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), out var problem);
        return problem is not null
            ? throw new ApiException(400, $"We could not parse the JSON body of your request: {ApiException.Shown(problem.Message)} (at byte {problem.Offset}).", code: "invalid_json")
            : json is JsonObject body ? new RequestFields(body)
            : throw new ApiException(400, "The body of your request must be a JSON object.", code: "invalid_json");
    }

    public static ApiException TooSlow() => new(408, "The body of your request came too slowly.", code: Slow);

    public static ApiException NotSound(int status = 400) => new(status, "The request is not sound HTTP.", code: Unsound);
}
