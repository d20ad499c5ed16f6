using System.Text.RegularExpressions;
using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>A model of the hub as a user names it: <c>hf:owner/name</c>, or <c>hf:owner/name:file</c>.</summary>
/// <param name="Owner">A user or an organisation.</param>
/// <param name="Name">The repository.</param>
/// <param name="File">A GGUF file in it, or a part of its name that no other has, such as Q8_0; or null.</param>
internal sealed partial record HubSource(string Owner, string Name, string? File)
{
    public const string Prefix = "hf:";

    /// <exception cref="InputException">Code <c>bad_address</c>.</exception>
    public static HubSource Parse(string source)
    {
        var match = Form().Match(source);
        return match.Success && !source.Contains("..", StringComparison.Ordinal)
            ? new HubSource(match.Groups["owner"].Value, match.Groups["name"].Value, match.Groups["file"] is { Success: true } file ? file.Value : null)
            : throw new InputException("bad_address", "this names no repository of the hub", source, hint: "write hf:owner/name, or hf:owner/name:file.gguf");
    }

    public Uri ListingIn(Uri hub) => In(hub, $"api/models/{Owner}/{Name}?blobs=true");

    public Uri FileIn(Uri hub, string revision, string file) =>
        In(hub, $"{Owner}/{Name}/resolve/{revision}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}");

    public override string ToString() => $"{Prefix}{Owner}/{Name}";

    private static Uri In(Uri hub, string path) => new($"{WebAddress.Shown(hub).TrimEnd('/')}/{path}");

    [GeneratedRegex(@"\Ahf:(?<owner>[A-Za-z0-9][A-Za-z0-9._-]{0,95})/(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,95})(?::(?<file>[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,250}))?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
