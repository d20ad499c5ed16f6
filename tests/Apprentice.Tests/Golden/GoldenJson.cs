using System.Text.Json;

namespace Apprentice.Tests.Golden;

/// <summary>Shorthands for reading golden JSON.</summary>
internal static class GoldenJson
{
    public static JsonElement Read(params string[] path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(path)));
        return document.RootElement.Clone();
    }

    public static int[] Ints(this JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetInt32())];

    public static double[] Doubles(this JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetDouble())];
}
