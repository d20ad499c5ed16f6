using System.Text.Json.Nodes;
using Apprentice.Data;
using Apprentice.Models.Weights;

namespace Apprentice.Models.Layers;

/// <summary>In some layers a token sees only the last ones before it.</summary>
/// <param name="Width">Tokens that it sees, itself among them.</param>
/// <param name="Layers">For each layer whether it is so there.</param>
public sealed record SlidingWindow(int Width, IReadOnlyList<bool> Layers)
{
    /// <summary>The window of a layer, or null where it sees everything before it.</summary>
    public int? At(int layer) => Layers[layer] ? Width : null;

    /// <summary>From <c>sliding_window</c>, and <c>layer_types</c> where the file has them.</summary>
    /// <param name="width">What counts where the file does not have <c>sliding_window</c>, which may be null there; null: no window.</param>
    /// <param name="slides">Which layers have it where <c>layer_types</c> are not given.</param>
    /// <returns>Null where no layer has a window.</returns>
    public static SlidingWindow? From(ModelConfig config, int layers, int? width, Func<int, bool> slides)
    {
        var types = config.Strings("layer_types");
        if (types.Length > 0 && types.Length != layers)
        {
            throw config.Wrong("layer_types", $"a list of {layers} types, one for each layer");
        }

        return Some(config.Has("sliding_window") ? config.FindSize("sliding_window") : width, [.. Enumerable.Range(0, layers).Select(i => types.Length > 0 ? types[i] == "sliding_attention" : slides(i))]);
    }

    /// <summary>From <c>attention.sliding_window</c> and its pattern: one layer in so many, or a flag for each.</summary>
    /// <param name="slides">Which layers have it where the file has no pattern.</param>
    public static SlidingWindow? From(GgufFile file, string architecture, int layers, Func<int, bool> slides)
    {
        var key = $"{architecture}.attention.sliding_window";
        var width = file.Metadata.FindSize(key) is { } found and > 0 ? found : (int?)null;
        var pattern = file.Metadata.TryGetValue($"{key}_pattern", out var value) ? value.Value : null;
        if (pattern is bool[] flags)
        {
            return flags.Length == layers ? Some(width, flags) : throw new InputException(
                "bad_gguf", $"metadata '{key}_pattern' should be a flag for each of {layers} layers", file.Path);
        }

        var every = pattern is null ? null : file.Metadata.FindSize($"{key}_pattern");
        return Some(width, [.. Enumerable.Range(0, layers).Select(i => every is { } n ? n == 0 || i % n < n - 1 : slides(i))]);
    }

    /// <summary>As GGUF's metadata.</summary>
    /// <param name="slides">The pattern that needs no saying.</param>
    public IEnumerable<(string Key, object Value)> ToGguf(string architecture, Func<int, bool> slides)
    {
        yield return ($"{architecture}.attention.sliding_window", (uint)Width);
        if (!Layers.SequenceEqual(Layers.Select((_, i) => slides(i))))
        {
            yield return ($"{architecture}.attention.sliding_window_pattern", (bool[])[.. Layers]);
        }
    }

    /// <summary>As config.json's <c>layer_types</c>.</summary>
    /// <param name="window">Null: no layer has one.</param>
    public static JsonArray LayerTypes(SlidingWindow? window, int layers) =>
        [.. Enumerable.Range(0, layers).Select(i => (JsonNode)(window?.At(i) is null ? "full_attention" : "sliding_attention"))];

    private static SlidingWindow? Some(int? width, bool[] layers) => width is { } size && layers.Contains(true) ? new(size, layers) : null;
}
