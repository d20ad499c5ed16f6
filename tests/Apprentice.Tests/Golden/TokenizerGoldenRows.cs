using System.Text.Json;

namespace Apprentice.Tests.Golden;

/// <summary>Rows of the tokenizers' JSONL files.</summary>
internal static class GoldenRows
{
    public static IEnumerable<JsonElement> Read(string file) =>
        File.ReadLines(file).Where(l => l.Length > 0).Select(l => JsonDocument.Parse(l).RootElement);

    /// <summary>The first of these fields that the row has.</summary>
    public static int[] Ints(JsonElement row, params string[] names) =>
        [.. row.GetProperty(names.First(n => row.TryGetProperty(n, out _))).EnumerateArray().Select(v => v.GetInt32())];
}
