using System.Globalization;
using System.Text.RegularExpressions;
using Apprentice.Data;
using Apprentice.Models.Registry;

namespace Apprentice.Models.Hub;

/// <summary>Which files of a repository make its model: one GGUF file, or those of a Hugging Face folder.</summary>
internal static partial class HubChoice
{
    private const int MostShown = 40;

    /// <exception cref="InputException">Code <c>no_model_files</c>, <c>several_models</c> or <c>address_not_found</c>.</exception>
    public static IReadOnlyList<HubFile> Of(HubListing listing, HubSource source)
    {
        // A projector belongs to a model that sees; of a file in parts no single one is a model.
        var models = listing.Files.Where(f => f.IsGguf && !f.Name.StartsWith("mmproj", StringComparison.OrdinalIgnoreCase)).ToArray();
        var whole = models.Where(f => !OnePart().IsMatch(f.Name)).ToArray();
        return source.File is { } file ? [Named(whole, source, file)]
            : whole.Length == 1 ? whole
            : whole.Length > 1 ? throw Several(whole, source)
            : Folder(listing, source, hasParts: models.Length > 0);
    }

    private static HubFile Named(HubFile[] models, HubSource source, string file)
    {
        var exact = models.Where(f => f.Path == file || f.Name == file).ToArray();
        var alike = exact.Length > 0 ? exact : [.. models.Where(f => f.Name.Contains(file, StringComparison.OrdinalIgnoreCase))];
        return alike.Length == 1 ? alike[0]
            : alike.Length > 1 ? throw Several(alike, source)
            : throw new InputException("address_not_found", $"the repository has no GGUF file of a name like '{file}'", source.ToString(), hint: models.Length > 0 ? $"it has {Shown(models)}" : "it has none at all: leave the file out");
    }

    private static List<HubFile> Folder(HubListing listing, HubSource source, bool hasParts)
    {
        var top = listing.Files.Where(f => f.Path == f.Name).ToDictionary(f => f.Name);
        var weights = top.ContainsKey("model.safetensors.index.json")
            ? [.. top.Values.Where(f => Shard().IsMatch(f.Name) || f.Name == "model.safetensors.index.json")]
            : top.Values.Where(f => f.Name == "model.safetensors").ToArray();
        var hasTokenizer = top.ContainsKey("tokenizer.json") || TokenizerFolder.SentencePieceFiles.Any(top.ContainsKey);
        if (weights.Length == 0 || !top.ContainsKey("config.json") || !hasTokenizer)
        {
            throw new InputException("no_model_files", hasParts ? "the repository's GGUF files are parts of models, which are not read one by one"
                : "the repository has neither a GGUF file nor all of model.safetensors, config.json and a tokenizer" + (top.Keys.Any(n => n.EndsWith(".bin", StringComparison.Ordinal)) ? "; weights in .bin files are programs, which are never run" : ""),
                source.ToString(), hint: "look for another repository of the same model");
        }

        return [.. ModelFolder.Companions.Concat(["README.md", "LICENSE", "LICENSE.txt", "LICENSE.md"]).Where(top.ContainsKey).Select(name => top[name]), .. weights];
    }

    private static InputException Several(HubFile[] models, HubSource source) => new(
        "several_models", $"the repository has {models.Length} GGUF files: {Shown(models)}", source.ToString(),
        hint: $"name one, or a part of its name that no other has: {source}:{models[0].Path}");

    private static string Shown(HubFile[] models) => string.Join(", ", models.OrderBy(f => f.Bytes).Take(MostShown).Select(f =>
        f.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{f.Path} ({(bytes >= 1_000_000_000 ? bytes / 1e9 : bytes / 1e6):0.##} {(bytes >= 1_000_000_000 ? "GB" : "MB")})") : f.Path))
        + (models.Length > MostShown ? " …" : "");

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.gguf\z", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex OnePart();

    [GeneratedRegex(@"\Amodel-\d{5}-of-\d{5}\.safetensors\z", RegexOptions.NonBacktracking)]
    private static partial Regex Shard();
}
