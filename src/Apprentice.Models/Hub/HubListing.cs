using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Apprentice.Data;

namespace Apprentice.Models.Hub;

/// <summary>A file of a repository.</summary>
/// <param name="Path">Within the repository; every part of it a plain name.</param>
/// <param name="Bytes">Null where the hub does not say.</param>
/// <param name="Sha256">In lower-case hex; null for a small file, of which the hub does not say it.</param>
internal sealed record HubFile(string Path, long? Bytes, string? Sha256)
{
    public string Name => System.IO.Path.GetFileName(Path);

    public bool IsGguf => Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a repository holds, by the answer of the hub's API; names that could lead out of a folder are left out.</summary>
/// <param name="Revision">The commit, so that all files are of one; or <c>main</c>.</param>
internal sealed partial record HubListing(string Revision, IReadOnlyList<HubFile> Files)
{
    private const string Newest = "main";

    /// <summary>Most bytes of the answer that are read.</summary>
    public const int Largest = 16 << 20;

    /// <summary>Whether the files of this revision are the same for ever.</summary>
    public bool IsFixed => Revision != Newest;

    /// <param name="answer">The JSON.</param>
    /// <param name="shown">The address, for errors.</param>
    /// <exception cref="InputException">Code <c>bad_hub_answer</c>.</exception>
    public static HubListing Parse(byte[] answer, string shown)
    {
        var json = StrictJson.Parse(answer, out var problem) as JsonObject;
        return json?["siblings"] is JsonArray files
            ? new HubListing(Text(json["sha"]) is { } sha && Commit().IsMatch(sha) ? sha : Newest, [.. files.OfType<JsonObject>().Select(Read).OfType<HubFile>().DistinctBy(f => f.Path)])
            : throw new InputException("bad_hub_answer", $"the hub's answer is no list of a repository's files{(problem is null ? "" : $": {problem.Message}")}", shown, hint: "check HF_ENDPOINT");
    }

    private static HubFile? Read(JsonObject file)
    {
        var (path, large) = (Text(file["rfilename"]), file["lfs"] as JsonObject);
        return path is not null && path.Split('/').All(IsPlain) ? new HubFile(path, Bytes(large?["size"]) ?? Bytes(file["size"]), Sha256.Parse(Text(large?["sha256"]))) : null;
    }

    /// <summary>A name that means the same on every system, and none of those that a download uses.</summary>
    private static bool IsPlain(string part) => PlainName().IsMatch(part) && !part.EndsWith(".part", StringComparison.OrdinalIgnoreCase) && !part.EndsWith(".part.json", StringComparison.OrdinalIgnoreCase);

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static long? Bytes(JsonNode? node) => node is JsonValue value && value.TryGetValue<long>(out var bytes) && bytes >= 0 ? bytes : null;

    [GeneratedRegex(@"\A[0-9a-f]{40}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Commit();

    [GeneratedRegex(@"\A[A-Za-z0-9_](?:[A-Za-z0-9 ._+-]{0,150}[A-Za-z0-9_+-])?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PlainName();
}
