using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Apprentice.Training.Recipes;

/// <summary>Says of a property of <see cref="Recipe"/> what a user needs to know of the field.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FieldAttribute(string section, string help) : Attribute
{
    public string Section { get; } = section;

    public string Help { get; } = help;

    /// <summary>The default, in words; empty where the field is required.</summary>
    public string Default { get; init; } = "";

    /// <summary>The numbers allowed, in interval notation.</summary>
    public string? Range { get; init; }

    /// <summary>A list of files: their names may hold commas, and those of a folder's recipe start at the folder.</summary>
    public bool IsFiles { get; init; }

    /// <summary>Names that other trainers use for it, only to point from them to ours.</summary>
    public string[] AlsoCalled { get; init; } = [];
}

/// <summary>
/// One field of a recipe. The one table of them, <see cref="All"/>, makes the recipe reader, the written recipe's
/// comments, the command line's options and the reference page.
/// </summary>
public sealed class RecipeField
{
    private readonly FieldAttribute about;

    private RecipeField(PropertyInfo property, FieldAttribute about)
    {
        this.about = about;
        Property = property;
        Name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Range = about.Range is null ? null : Interval.Parse(about.Range);
    }

    /// <summary>In the order in which they are written.</summary>
    public static IReadOnlyList<RecipeField> All { get; } =
    [
        .. typeof(Recipe).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .OrderBy(p => p.MetadataToken)
            .Select(p => (p, about: p.GetCustomAttribute<FieldAttribute>()))
            .Where(x => x.about is not null)
            .Select(x => new RecipeField(x.p, x.about!)),
    ];

    private static readonly Dictionary<string, RecipeField> ByName = All.ToDictionary(f => f.Name, StringComparer.Ordinal);

    /// <summary>As in a recipe: <c>learning_rate</c>.</summary>
    public string Name { get; }

    /// <summary>As on the command line: <c>--learning-rate</c>.</summary>
    public string Option => "--" + Name.Replace('_', '-');

    public string Section => about.Section;
    public string Help => about.Help;
    public string Default => about.Default;
    public bool IsFiles => about.IsFiles;
    public bool IsRequired => about.Default.Length == 0;
    public IReadOnlyList<string> AlsoCalled => about.AlsoCalled;

    /// <summary>Without the question mark.</summary>
    public Type Type { get; }

    /// <summary>The numbers allowed, or null where the field is no number.</summary>
    public Interval? Range { get; }

    /// <summary>Whether it may be given more than once on the command line.</summary>
    public bool IsMany => Type.IsGenericType;

    /// <summary>The words it may be, or none where it is free.</summary>
    public IReadOnlyList<string> Choices => Type.IsEnum ? [.. Enum.GetNames(Type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)]
        : Type == typeof(bool) ? ["true", "false"]
        : [];

    internal PropertyInfo Property { get; }

    public static RecipeField? Find(string name) => ByName.GetValueOrDefault(name);

    public object? Get(Recipe recipe) => Property.GetValue(recipe);

    /// <summary>What kind of value it takes, for help and errors.</summary>
    public string Kind => Choices.Count > 0 ? string.Join(" | ", Choices)
        : Type == typeof(int) ? WithRange("a whole number")
        : Type == typeof(double) ? WithRange("a number")
        : Type == typeof(Amount) ? "a share from 0.0 to 1.0, or a number of steps"
        : Type == typeof(HeldOut) ? "none, a share, a number of examples, or a file"
        : Type == typeof(string) ? "text"
        : Type == typeof(IReadOnlyList<string>) ? "a list"
        : "a map from text to " + (Type.GenericTypeArguments[1] == typeof(string) ? "text"
            : WithRange(Type.GenericTypeArguments[1] == typeof(int) ? "a whole number" : "a number"));

    /// <summary>The value as it is written on the command line and, strings aside, in YAML.</summary>
    internal static string Format(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant(),
        Enum word => JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private string WithRange(string kind) => Range is null ? kind : $"{kind}, {Range}";
}
