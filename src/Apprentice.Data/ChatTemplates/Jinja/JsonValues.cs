using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Apprentice.Data.ChatTemplates.Jinja;

/// <summary>Turns JSON into the values of templates. Text that comes from a message remembers which.</summary>
internal static class JsonValues
{
    /// <summary>
    /// A message as a dict. Its role and name are part of a turn's header, not of what was said, so they are not traced.
    /// </summary>
    public static PyDict Message(JsonObject message, int number)
    {
        var result = new PyDict { Message = number };
        foreach (var (key, value) in message)
        {
            result.Set(new TracedString(key), From(value, key is "role" or "name" ? 0 : number));
        }

        return result;
    }

    public static object? From(JsonNode? node, int message = 0)
    {
        switch (node)
        {
            case null:
                return null;
            case JsonArray array:
                return new PyList([.. array.Select(n => From(n, message))]);
            case JsonObject dict:
                var result = new PyDict();
                foreach (var (key, value) in dict)
                {
                    result.Set(new TracedString(key, new Origin(message, 0, 0)), From(value, message));
                }

                return result;
        }

        return node.GetValueKind() switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => new TracedString(node.GetValue<string>(), new Origin(message, 0, 0)),
            _ => Number(node.ToJsonString()),
        };
    }

    /// <summary>Characters of text in a value, which is what it may cost to go through it.</summary>
    public static long Size(object? value) => value switch
    {
        TracedString s => s.Text.Length,
        PyDict d => d.Entries.Sum(e => Size(e.Key) + Size(e.Value)),
        PySequence s => s.Items.Sum(i => Size(i) + 1),
        _ => 8,
    };

    private static object Number(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') < 0 && text.Length <= 1000)
        {
            return BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        return double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
