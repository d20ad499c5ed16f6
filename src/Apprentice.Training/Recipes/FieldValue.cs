using System.Globalization;
using System.Text.Json;
using Apprentice.Data;

namespace Apprentice.Training.Recipes;

/// <summary>A field's value as it was given, before its type is known: some text, a list, or a map.</summary>
internal sealed record FieldValue(string? Text, IReadOnlyList<string>? List, IReadOnlyList<KeyValuePair<string, string>>? Map)
{
    /// <summary>What one or more uses of a command-line option say: lists separated by commas (but for files), maps as NAME=VALUE.</summary>
    public static FieldValue FromOption(RecipeField field, IReadOnlyList<string> uses)
    {
        if (!field.IsMany)
        {
            return uses.Count == 1 ? new(uses[0], null, null) : throw new FormatException("to be given once");
        }

        if (field.IsFiles)
        {
            return new(null, uses, null);
        }

        var parts = uses.SelectMany(u => u.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToArray();
        return field.Type == typeof(IReadOnlyList<string>)
            ? new(null, parts, null)
            : new(null, null, [.. parts.Select(p => p.LastIndexOf('=') is > 0 and var i
                ? KeyValuePair.Create(p[..i], p[(i + 1)..])
                : throw new FormatException("NAME=VALUE, more of them separated by commas"))]);
    }

    /// <summary>The value in the field's type.</summary>
    /// <exception cref="FormatException">Its message says what would be right.</exception>
    public object ConvertTo(RecipeField field)
    {
        var type = field.Type;
        if (type == typeof(IReadOnlyList<string>))
        {
            // One item needs no brackets.
            var items = List ?? (Text is null ? throw new FormatException(field.Kind) : [Text]);
            return items.Count > 0 && items.All(i => i.Length > 0) ? items : throw new FormatException("a list of at least one, none of them empty");
        }

        return type == typeof(IReadOnlyDictionary<string, int>) ? ToMap<int>(field)
            : type == typeof(IReadOnlyDictionary<string, double>) ? ToMap<double>(field)
            : type == typeof(IReadOnlyDictionary<string, string>) ? ToMap<string>(field)
            : Scalar(field, type, Text ?? throw new FormatException(field.Kind));
    }

    private SortedDictionary<string, T> ToMap<T>(RecipeField field)
    {
        var map = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var (key, value) in Map ?? throw new FormatException(field.Kind))
        {
            try
            {
                map[key] = (T)Scalar(field, typeof(T), value);
            }
            catch (FormatException e)
            {
                throw new FormatException($"{field.Kind}, and {key} is '{value}'", e);
            }
        }

        return map;
    }

    private static object Scalar(RecipeField field, Type type, string text)
    {
        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(Amount))
        {
            return Amount.Parse(text);
        }

        if (type == typeof(HeldOut))
        {
            return HeldOut.Parse(text);
        }

        if (type == typeof(bool))
        {
            return text switch { "true" => true, "false" => false, _ => throw new FormatException("true or false") };
        }

        if (type.IsEnum)
        {
            // Not Enum.Parse, which also takes numbers.
            foreach (var word in Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(v => Enum.ToObject(type, v)))
            {
                if (JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()!) == text)
                {
                    return word;
                }
            }

            var near = Suggestion.Nearest(text, field.Choices);
            throw new FormatException(string.Join(" | ", field.Choices) + (near is null ? "" : $" (did you mean {near}?)"));
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && field.Range?.Contains(whole) != false
                ? whole
                : throw new FormatException(field.Kind);
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) && field.Range?.Contains(number) != false
            ? number
            : throw new FormatException(field.Kind);
    }
}
