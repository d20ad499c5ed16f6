using System.Text.Json.Nodes;
using Apprentice.Data;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Contracts;

/// <summary>The body of a request: one JSON object, in UTF-8.</summary>
internal static class RequestBody
{
    /// <exception cref="ApiException">400 or 415: it is none.</exception>
    /// <exception cref="BadHttpRequestException">It is too large, or comes too slowly.</exception>
    public static async Task<RequestFields> Read(HttpContext http)
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
        await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
        var json = StrictJson.Parse(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), out var problem);
        return problem is not null
            ? throw new ApiException(400, $"We could not parse the JSON body of your request: {ApiException.Shown(problem.Message)} (at byte {problem.Offset}).", code: "invalid_json")
            : json is JsonObject body ? new RequestFields(body)
            : throw new ApiException(400, "The body of your request must be a JSON object.", code: "invalid_json");
    }
}
