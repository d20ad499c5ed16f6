using System.Globalization;

namespace Apprentice.Models.Weights;

/// <summary>Translates weight names by a table of modules in which N stands for the layer's number.</summary>
public static class GgufNames
{
    /// <returns>The name in the other spelling, or null where the table does not have it.</returns>
    public static string? Translate(string name, IReadOnlyDictionary<string, string> table)
    {
        var end = name.LastIndexOf('.');
        var module = name[..end];
        var parts = module.Split('.');
        var at = Array.FindIndex(parts, p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (at < 0)
        {
            return table.TryGetValue(module, out var plain) ? plain + name[end..] : null;
        }

        var layer = parts[at];
        parts[at] = "N";
        return table.TryGetValue(string.Join('.', parts), out var pattern)
            ? pattern.Replace("N", layer, StringComparison.Ordinal) + name[end..]
            : null;
    }
}
