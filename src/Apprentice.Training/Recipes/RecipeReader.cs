using System.Text;
using Apprentice.Data;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Apprentice.Training.Recipes;

/// <summary>Reads the flat YAML of recipes event by event, so that nothing nests, refers to itself or makes objects.</summary>
internal static class RecipeReader
{
    /// <summary>In bytes. The YAML scanner takes over a second for a megabyte of the worst.</summary>
    private const int LargestFile = 1 << 18;

    public static Recipe Load(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= LargestFile
                ? Parse(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)), path)
                : throw new InputException("bad_recipe", $"a recipe of {length:N0} bytes is no recipe; at most 256 KiB are read", path);
        }
        catch (DecoderFallbackException)
        {
            throw new InputException("bad_recipe", "the recipe is not UTF-8 text", path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw MissingFile.Error(path, "recipe");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException("bad_recipe", $"the recipe cannot be read: {e.Message}", path);
        }
    }

    public static Recipe Parse(string yaml, string? file)
    {
        var recipe = new Recipe();
        var parser = new GuardedParser(new Parser(new StringReader(yaml.TrimStart('\uFEFF'))), file);
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _))
        {
            return recipe;
        }

        parser.Consume<DocumentStart>();
        if (!parser.TryConsume<MappingStart>(out _))
        {
            throw Bad(parser.Current!, "bad_recipe", "a recipe is a map of fields, such as model: base.gguf");
        }

        var seen = new Dictionary<string, long>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Scalar(parser, "a field's name");
            if (!seen.TryAdd(key.Value, key.Start.Line))
            {
                throw Bad(key, "duplicate_field", $"{key.Value} was given before, in line {seen[key.Value]}");
            }

            ReadField(parser, recipe, key);
        }

        parser.Consume<DocumentEnd>();
        return parser.TryConsume<StreamEnd>(out _) ? recipe
            : throw Bad(parser.Current!, "bad_recipe", "a recipe is one YAML document; here a second one begins");

        void ReadField(IParser parser, Recipe into, Scalar key)
        {
            var field = RecipeField.Find(key.Value)
                ?? throw Bad(key, "unknown_field", $"{Shown(key.Value)} is no field of a recipe", DidYouMean(key.Value));
            var start = parser.Current!;
            var value = ReadValue(parser, field);
            if (value is null)
            {
                return; // field: null, or nothing after the colon, is the default
            }

            try
            {
                into.Set(field, value.ConvertTo(field), file, start.Start.Line);
            }
            catch (FormatException e)
            {
                throw Bad(start, "bad_value", $"{field.Name} is {Shown(value)}; it must be {e.Message}");
            }
        }

        FieldValue? ReadValue(IParser parser, RecipeField field)
        {
            if (parser.TryConsume<SequenceStart>(out _))
            {
                var items = new List<string>();
                while (!parser.TryConsume<SequenceEnd>(out _))
                {
                    items.Add(Scalar(parser, $"{field.Name} to be {field.Kind}, and here an item").Value);
                }

                return new(null, items, null);
            }

            if (parser.TryConsume<MappingStart>(out _))
            {
                var entries = new List<KeyValuePair<string, string>>();
                while (!parser.TryConsume<MappingEnd>(out _))
                {
                    var name = Scalar(parser, $"{field.Name} to be {field.Kind}, and here a name");
                    if (entries.Exists(e => e.Key == name.Value))
                    {
                        throw Bad(name, "duplicate_field", $"{field.Name} has {Shown(name.Value)} twice");
                    }

                    entries.Add(new(name.Value, Scalar(parser, $"{field.Name} to be {field.Kind}, and here a value").Value));
                }

                return new(null, null, entries);
            }

            var scalar = Scalar(parser, $"{field.Name} to be {field.Kind}");
            return scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" ? null : new(scalar.Value, null, null);
        }

        Scalar Scalar(IParser parser, string expected)
        {
            var scalar = parser.TryConsume<Scalar>(out var found) ? found
                : throw Bad(parser.Current!, "bad_recipe", $"expected {expected}, found {(parser.Current is AnchorAlias ? "an alias" : "a list or map")}");
            return scalar.Anchor.IsEmpty && scalar.Tag.IsEmpty ? scalar : throw Bad(scalar, "bad_recipe", "recipes have no anchors or tags (& and !); put the text into quotes");
        }

        InputException Bad(ParsingEvent where, string code, string message, string? hint = null) => new(code, message, file, where.Start.Line, hint);
    }

    /// <summary>A hint for a name that no field has.</summary>
    public static string DidYouMean(string name)
    {
        var ours = RecipeField.All.FirstOrDefault(f => f.AlsoCalled.Contains(name))?.Name ?? Suggestion.Nearest(name, RecipeField.All.Select(f => f.Name));
        return ours is null ? "the fields are " + string.Join(", ", RecipeField.All.Select(f => f.Name)) : $"did you mean {ours}?";
    }

    /// <summary>The library throws more than its own kind of exception on text that is no YAML.</summary>
    private sealed class GuardedParser(Parser parser, string? file) : IParser
    {
        public ParsingEvent? Current => parser.Current;

        public bool MoveNext()
        {
            try
            {
                return parser.MoveNext();
            }
            catch (Exception e)
            {
                var (line, message) = e is YamlException yaml ? (yaml.Start.Line, e.Message) : (parser.Current?.End.Line ?? 1, "something after this place does not belong here");
                throw new InputException("bad_yaml", $"not valid YAML: {message}", file, line);
            }
        }
    }

    private static string Shown(FieldValue value) => value.Text is { } text ? Shown(text) : value.List is not null ? "a list" : "a map";

    private static string Shown(string text) => text.Length <= 80 ? $"'{text}'" : $"'{text[..77]}…'";
}
