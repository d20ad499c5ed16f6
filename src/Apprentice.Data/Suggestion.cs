namespace Apprentice.Data;

/// <summary>Did-you-mean: the known name nearest to a mistyped one.</summary>
public static class Suggestion
{
    /// <summary>The name that fewest edits lead to, or null where none is near.</summary>
    public static string? Nearest(string typed, IEnumerable<string> names)
    {
        var plain = Plain(typed);
        if (plain.Length is 0 or > 64)
        {
            return null;
        }

        var nearest = names.Select(n => new { Name = n, Distance = Distance(plain, Plain(n)) }).MinBy(n => n.Distance);
        return nearest is not null && nearest.Distance <= Math.Max(1, plain.Length / 3) && nearest.Distance < plain.Length ? nearest.Name : null;
    }

    private static string Plain(string name) => name.ToLowerInvariant().Replace("_", "").Replace("-", "");

    /// <summary>Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                var replace = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
