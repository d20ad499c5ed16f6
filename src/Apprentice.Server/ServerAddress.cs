using Apprentice.Data;
using Microsoft.AspNetCore.Http;

namespace Apprentice.Server;

/// <summary>An address to listen on.</summary>
internal static class ServerAddress
{
    /// <summary>Whether it can be reached from this machine only.</summary>
    /// <exception cref="InputException">Code <c>bad_url</c>.</exception>
    public static bool IsLoopback(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw Bad(url, "is no address to listen on");
        }

        return address.IsUnixPipe || address.IsNamedPipe || address.PathBase.Length > 0 ? throw Bad(url, "is more than a host and a port")
            : address.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase) ? AccessGate.IsLoopback(address.Host)
            : throw Bad(url, $"has the scheme '{address.Scheme}'; for https let a proxy such as nginx or Caddy stand before it");
    }

    private static InputException Bad(string url, string why) => new("bad_url", $"--urls: '{url}' {why}", hint: "write http://HOST:PORT, such as http://127.0.0.1:8080");
}
