using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>Which addresses are downloaded from: https, and http from this machine itself; no name and password in them.</summary>
internal static class WebAddress
{
    /// <param name="text">As the user wrote it.</param>
    /// <param name="what">Where it was written, for errors, which do not repeat it: there may be a password in it.</param>
    /// <exception cref="InputException">Code <c>bad_address</c>.</exception>
    public static Uri Parse(string text, string what) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0 || !IsWeb(address) ? throw Bad($"{what} is no address of the web", "such as https://example.com/model.gguf")
        : address.UserInfo.Length > 0 ? throw Bad($"{what} has a name or password in it, which would be seen by all", "leave it out; the hub takes a token from HF_TOKEN")
        : !IsAllowed(address) ? throw Bad($"{what} begins with http, over which anyone on the way can change the file", "write https://")
        : address;

    /// <summary>Where a redirect leads.</summary>
    /// <exception cref="InputException">Code <c>bad_redirect</c>: it names no place, or one that is not downloaded from.</exception>
    public static Uri Follow(Uri from, Uri? location)
    {
        return location is null || !Uri.TryCreate(from, location, out var to) || !IsWeb(to) || to.Host.Length == 0 ? throw BadRedirect(from, "leads to no address of the web")
            : to.UserInfo.Length > 0 ? throw BadRedirect(from, "leads to an address with a name or password in it")
            : !IsAllowed(to) || (from.Scheme == Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttps) ? throw BadRedirect(from, $"leads from {from.Scheme} to http ({Shown(to)}), over which anyone on the way can change the file")
            : to;
    }

    public static InputException BadRedirect(Uri from, string why) =>
        new("bad_redirect", $"the server's redirect {why}", Shown(from), hint: "take the address to which the model's page links");

    /// <summary>For people and files: without the query, which often holds a signature, and without a fragment.</summary>
    public static string Shown(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>The same scheme, host and port.</summary>
    public static bool IsSameServer(Uri a, Uri b) => Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static bool IsWeb(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp;

    private static bool IsAllowed(Uri address) => address.Scheme == Uri.UriSchemeHttps || address.IsLoopback;

    private static InputException Bad(string message, string hint) => new("bad_address", message, hint: hint);
}
