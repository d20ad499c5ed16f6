using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Apprentice.Training.Recipes;

/// <summary>Writes recipes, and the page that describes them, from the one table of fields.</summary>
public static partial class RecipeWriter
{
    private const int Width = 100;

    /// <summary>The whole recipe with a comment above each field.</summary>
    internal static string ToYaml(ResolvedRecipe recipe)
    {
        var text = new StringBuilder("# The recipe of this run, with every default written out.\n# Again with changes: apprentice train recipe.yaml --out runs/NEW --rank 32\n");
        foreach (var section in RecipeField.All.GroupBy(f => f.Section))
        {
            text.Append("\n# ---- ").Append(section.Key).Append(" ----\n");
            foreach (var field in section)
            {
                text.Append('\n');
                foreach (var line in Wrap(field.Help + (field.Choices.Count > 2 ? $" One of: {string.Join(", ", field.Choices)}." : "")))
                {
                    text.Append("# ").Append(line).Append('\n');
                }

                text.Append(field.Name).Append(": ").Append(Value(typeof(ResolvedRecipe).GetProperty(field.Property.Name)!.GetValue(recipe))).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>The reference page: a table of fields for each section, in Markdown.</summary>
    public static string Reference()
    {
        var text = new StringBuilder("# Recipe fields\n\nEach field is also an option of `apprentice train`: `learning_rate` is `--learning-rate`. Only `model` and `data` are required.\n");
        foreach (var section in RecipeField.All.GroupBy(f => f.Section))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {section.Key}\n\n| field | value | default | what it is |\n| --- | --- | --- | --- |\n");
            foreach (var field in section)
            {
                text.Append(CultureInfo.InvariantCulture, $"| `{field.Name}` | {Cell(field.Kind)} | {(field.IsRequired ? "required" : Cell(field.Default))} | {Cell(field.Help)} |\n");
            }
        }

        return text.ToString();

        static string Cell(string s) => s.Replace("|", "\\|");
    }

    private static string Value(object? value) => value switch
    {
        null => "null",
        string text => Text(text),
        HeldOut part => Text(part.ToString()),
        IReadOnlyList<string> list => $"[{string.Join(", ", list.Select(Text))}]",
        // Only maps are left; sorted, so that a recipe is written the same way each time.
        IEnumerable map => $"{{{string.Join(", ", map.Cast<object>().Select(Entry).Order(StringComparer.Ordinal))}}}",
        _ => RecipeField.Format(value),
    };

    private static string Entry(object entry) => entry switch
    {
        KeyValuePair<string, string> e => $"{Text(e.Key)}: {Text(e.Value)}",
        KeyValuePair<string, int> e => $"{Text(e.Key)}: {RecipeField.Format(e.Value)}",
        KeyValuePair<string, double> e => $"{Text(e.Key)}: {RecipeField.Format(e.Value)}",
        _ => throw new InvalidOperationException($"a map of {entry.GetType()} cannot be written"),
    };

    /// <summary>Plain where YAML cannot misread it, else in double quotes.</summary>
    private static string Text(string text)
    {
        if (PlainText().IsMatch(text) && text is not ("null" or "Null" or "NULL"))
        {
            return text;
        }

        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                _ when char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned || c == '\uFEFF' =>
                    "\\u" + ((int)c).ToString("X4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    private static IEnumerable<string> Wrap(string text)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }

    [GeneratedRegex("^[A-Za-z0-9_./][A-Za-z0-9_./+-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainText();
}
