using System.Text;
using System.Text.Json;

namespace Apprentice.Models.Weights;

/// <summary>
/// JSON of the few shapes that weight files hold, read in one pass without a document tree, so that a hostile header
/// costs no more than its entries. Anything unexpected is an error of the file.
/// </summary>
internal static class StrictJson
{
    private const int Deepest = 64;

    public delegate T ReadValue<T>(ref Utf8JsonReader json, BoundedReader reader);

    /// <summary>Runs <paramref name="read"/> over the whole text and turns every complaint into one about the file.</summary>
    public static T Parse<T>(BoundedReader reader, byte[] text, string what, ReadValue<T> read)
    {
        try
        {
            var json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = Deepest });
            json.Read();
            var value = read(ref json, reader);
            json.Read(); // to the end: throws where anything but white space follows
            return value;
        }
        catch (JsonException e)
        {
            throw reader.Error($"{what} is not sound JSON: {e.Message}");
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            // The reader's answer to text that is not UTF-8 or holds half a surrogate pair.
            throw reader.Error($"{what} holds text that is not valid Unicode");
        }
    }

    /// <summary>
    /// The whole text of a file, for a document tree: such a tree finds text that is not Unicode only when that text is
    /// asked for, and answers with an exception of its own.
    /// </summary>
    public static byte[] ReadAll(BoundedReader reader)
    {
        var text = reader.ReadAll();
        return Parse(reader, text, "the file", (ref json, _) =>
        {
            do
            {
                if (json.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    json.GetString();
                }
            }
            while (json.Read());
            return text;
        });
    }

    public static void BeginObject(ref Utf8JsonReader json) => Expect(json.TokenType == JsonTokenType.StartObject, ref json, "an object");

    /// <summary>The next member's name, with the reader on its value; null at the object's end.</summary>
    public static string? NextName(ref Utf8JsonReader json, BoundedReader reader)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        reader.Charge(2L * json.ValueSpan.Length);
        var name = json.GetString()!;
        json.Read();
        return name;
    }

    public static string ReadString(ref Utf8JsonReader json, BoundedReader reader)
    {
        Expect(json.TokenType == JsonTokenType.String, ref json, "a string");
        reader.Charge(2L * json.ValueSpan.Length);
        return json.GetString()!;
    }

    /// <summary>An object whose values are all strings.</summary>
    public static void ReadStrings(ref Utf8JsonReader json, BoundedReader reader, Dictionary<string, string> into)
    {
        BeginObject(ref json);
        while (NextName(ref json, reader) is { } name)
        {
            reader.Charge(160); // two strings' headers and a table entry
            if (!into.TryAdd(name, ReadString(ref json, reader)))
            {
                throw reader.Error($"'{name}' stands there twice");
            }
        }
    }

    /// <summary>An array of integers that are not negative.</summary>
    public static long[] ReadSizes(ref Utf8JsonReader json, int most)
    {
        Expect(json.TokenType == JsonTokenType.StartArray, ref json, "an array");
        Span<long> sizes = stackalloc long[most];
        var count = 0;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var size = 0L;
            Expect(json.TokenType == JsonTokenType.Number && json.TryGetInt64(out size) && size >= 0, ref json, "an integer from 0 on");
            Expect(count < most, ref json, $"at most {most} numbers");
            sizes[count++] = size;
        }

        return sizes[..count].ToArray();
    }

    private static void Expect(bool met, ref Utf8JsonReader json, string wanted)
    {
        if (!met)
        {
            throw new JsonException($"{wanted} should stand at byte {json.TokenStartIndex}");
        }
    }
}
