using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server.Contracts;

/// <summary>How bodies are written: names in snake_case, text in any language as it is.</summary>
internal static class ApiJson
{
    /// <summary>Answers with it.</summary>
    public static Task Write<T>(HttpResponse response, T body, CancellationToken cancellation) => response.WriteAsJsonAsync(body, Options, "application/json", cancellation);

    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is sent as application/json, never as a part of a page
    };
}
