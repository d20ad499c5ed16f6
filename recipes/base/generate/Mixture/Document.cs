using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Apprentice.Recipes.Base.Mixture;

/// <summary>One document of a source, as it came: plain text, a conversation, or prompt and completion.</summary>
/// <param name="Id">A hash of its text: its place in every order, whatever the order of the file.</param>
/// <param name="Parts">The text, or what is said turn by turn.</param>
public sealed record Document(ulong Id, IReadOnlyList<string> Parts)
{
    public bool IsPlain => Parts.Count == 1;

    public int Characters => Parts.Sum(part => part.Length);

    public string Text => string.Join('\n', Parts);

    /// <summary>All documents of <c>NAME.jsonl.xz</c>, by their ids.</summary>
    /// <exception cref="IOException">The file is missing or not sound.</exception>
    public static IReadOnlyList<Document> Read(string folder, string name)
    {
        var path = Path.Combine(folder, name + ".jsonl.xz");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path} is missing; --source names the folder of the .jsonl.xz files", path);
        }

        var documents = new List<Document>();
        using var xz = Process.Start(new ProcessStartInfo("xz", ["-dkc", path]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        while (xz.StandardOutput.ReadLine() is { } line)
        {
            var json = JsonNode.Parse(line)!;
            string[] parts = json["messages"] is JsonArray messages
                ? messages.Select(message => ((string)message!["content"]!).Trim()).ToArray()
                : json["text"] is { } text ? [((string)text!).Trim()] : [((string)json["prompt"]!).Trim(), ((string)json["completion"]!).Trim()];
            if (parts.All(part => part.Length > 0))
            {
                documents.Add(new Document(Draw.Hash(string.Join('\n', parts)), parts));
            }
        }

        xz.WaitForExit();
        return xz.ExitCode == 0
            ? documents.DistinctBy(document => document.Id).OrderBy(document => document.Id).ToArray()
            : throw new IOException($"xz could not unpack {path}");
    }

    /// <summary>The document as a line of training data: <c>{"text"}</c>, or <c>{"messages"}</c> and then some with a system message.</summary>
    public JsonObject ToJson(Draw draw, Source source)
    {
        if (IsPlain)
        {
            return new JsonObject { ["text"] = Parts[0] };
        }

        var parts = source.Kind == "classification" && draw.Chance(0.5) ? Labels.Snake(Parts) : Parts;
        if (parts.Count > 2)
        {
            return new Instruction(draw.Chance(0.3) ? Grammar.Words.Say(draw, "{dialogue_system}") : null, parts).ToJson();
        }

        // An instruction of its own paragraph can as well be the system message.
        var cut = parts[0].IndexOf("\n\n", StringComparison.Ordinal);
        return (cut is > 0 and < 400 && draw.Chance(0.35)
            ? new Instruction(parts[0][..cut].Trim(), parts[0][cut..].Trim(), parts[1])
            : new Instruction(draw.Chance(0.15) ? Grammar.Words.Say(draw, "{brief_system}") : null, parts)).ToJson();
    }

    /// <summary>Plain text of at most about <paramref name="characters"/>, cut after a sentence; conversations as they are.</summary>
    public Document Shortened(int characters)
    {
        if (!IsPlain || Parts[0].Length <= characters)
        {
            return this;
        }

        var end = Parts[0].LastIndexOf(". ", characters, StringComparison.Ordinal);
        return this with { Parts = [Parts[0][..(end < 0 ? characters : end + 1)]] };
    }
}
