using System.Text.Encodings.Web;
using System.Text.Json;

namespace Apprentice.Server.Contracts;

/// <summary>How bodies are written: names in snake_case, text in any language as it is.</summary>
internal static class ApiJson
{
    public const string ContentType = "application/json";

    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is sent as application/json, never as a part of a page
    };
}
