using System.Text.RegularExpressions;

namespace Apprentice.Recipes.Base.Mixture;

/// <summary>Label lists of words as snake_case, as most users' labels are.</summary>
public static partial class Labels
{
    /// <summary>Prompt and completion with the listed labels joined by underscores; unchanged where the completion is in no list.</summary>
    public static IReadOnlyList<string> Snake(IReadOnlyList<string> parts)
    {
        var (prompt, label) = (parts[0], parts[^1]);
        foreach (Match list in List().Matches(prompt))
        {
            var labels = list.Value.TrimEnd('.').Split(", ");
            if (labels.Length > 1 && labels.Contains(label))
            {
                var snake = string.Join(", ", labels.Select(l => l.Replace(' ', '_')));
                return [prompt[..list.Index] + snake + prompt[(list.Index + list.Value.TrimEnd('.').Length)..], label.Replace(' ', '_')];
            }
        }

        return parts;
    }

    [GeneratedRegex(@"(?<=: )[^\n:]+, [^\n:]+")]
    private static partial Regex List();
}
