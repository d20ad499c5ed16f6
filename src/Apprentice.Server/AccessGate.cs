using System.Net;
using Apprentice.Server.Contracts;
using Apprentice.Server.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Apprentice.Server;

/// <summary>
/// Who may ask: whoever has a key. Where only this machine can reach the server, none is needed, unless the options ask for it; then the
/// host that a request names must be this machine's, or a page in a browser could ask by a name of its own (DNS rebinding).
/// </summary>
internal sealed class AccessGate(RequestDelegate next, ApiKeys keys, ServerOptions options)
{
    private static readonly object Item = new();

    /// <summary>Id of the key that a request came with, for logs.</summary>
    public static string KeyOf(HttpContext http) => http.Items[Item] as string ?? "none";

    /// <exception cref="ApiException">400, 401 or 403.</exception>
    public Task InvokeAsync(HttpContext http)
    {
        RequireOneEnd(http.Request);
        if (!options.RequireKey && !IsLoopback(http.Request.Host.Host))
        {
            throw new ApiException(403, "This server answers requests to this machine only: use 127.0.0.1 or localhost as its host, or start it with --require-key.", code: "host_not_allowed");
        }

        if (http.Request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase))
        {
            // First, for a key may be there, and whoever put it there has to know.
            if (http.Request.QueryString.HasValue)
            {
                throw new ApiException(400, "No parameter is taken in the address: send them in the body, and the API key in the header 'Authorization: Bearer KEY'.", code: "unknown_parameter");
            }

            RequireKey(http);
        }

        return next(http);
    }

    /// <summary>Whether a host of an address is this machine, reached from itself.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>A request that says its end in two ways could have ended elsewhere for a proxy before the server, which would then take the rest for a request of somebody else (request smuggling).</summary>
    private static void RequireOneEnd(HttpRequest request)
    {
        const string Both = "X-Content-Length"; // as Kestrel calls a Content-Length beside Transfer-Encoding
        var coding = request.Headers.TransferEncoding;
        if (coding.Count > 0 && (coding.Count > 1 || !"chunked".Equals(coding[0], StringComparison.OrdinalIgnoreCase) || request.Headers.ContainsKey(Both)))
        {
            throw RequestBody.NotSound();
        }
    }

    private void RequireKey(HttpContext http)
    {
        const string Scheme = "Bearer ";
        var given = http.Request.Headers.Authorization;
        if (given.Count == 0)
        {
            if (options.RequireKey)
            {
                throw Unauthorized(http, "You didn't provide an API key. Provide it in the header 'Authorization: Bearer KEY'; apprentice keys add NAME makes one.", null);
            }

            return;
        }

        var secret = given.Count == 1 && given[0]!.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? given[0]![Scheme.Length..].Trim() : "";
        if (keys.Find(secret) is { } key)
        {
            http.Items[Item] = key.Id;
        }
        else if (options.RequireKey || keys.Any()) // clients must send one even where nobody asks for it
        {
            throw Unauthorized(http, "Incorrect API key provided. apprentice keys list shows those that there are.", "invalid_api_key");
        }
    }

    private static ApiException Unauthorized(HttpContext http, string message, string? code)
    {
        http.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return new ApiException(401, message, code: code);
    }
}
