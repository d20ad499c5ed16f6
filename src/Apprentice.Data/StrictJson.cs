using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Apprentice.Data;

/// <summary>What is wrong with a piece of JSON, and at which byte of it.</summary>
public sealed record JsonProblem(string Code, string Message, int Offset);

/// <summary>
/// JSON as files from strangers need it: valid UTF-8, whole surrogate pairs, no field twice, and limits on depth and on the
/// number of tokens, which are checked before anything is allocated for them.
/// </summary>
public static class StrictJson
{
    public const int MaximumDepth = 64;
    public const int MaximumTokens = 200_000;

    /// <summary>Parses one value; null and a problem where that is not possible (null without a problem is JSON's null).</summary>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8, out JsonProblem? problem)
    {
        problem = Check(utf8);
        if (problem is not null)
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(utf8, null, new JsonDocumentOptions { MaxDepth = MaximumDepth + 1, AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            problem = new JsonProblem("duplicate_key", $"a field is there twice: {Reason(e)}", 0);
            return null;
        }
    }

    /// <summary>The reason in words, without the position that System.Text.Json appends.</summary>
    public static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var text = end < 0 ? e.Message : e.Message[..end];
        end = text.IndexOf(" Path:", StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).Replace(" Change the reader options.", "", StringComparison.Ordinal).TrimEnd('.');
    }

    /// <summary>What is wrong with the text, but for fields that are there twice; null where nothing is.</summary>
    public static JsonProblem? Check(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            return new JsonProblem("invalid_utf8", "the text is not UTF-8", FirstInvalid(utf8));
        }

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var field = "";
        var tokens = 0;
        try
        {
            while (reader.Read())
            {
                var offset = (int)reader.TokenStartIndex;
                if (++tokens > MaximumTokens)
                {
                    return new JsonProblem("too_large", $"the record has more than {MaximumTokens} JSON values", offset);
                }

                if (reader.CurrentDepth > MaximumDepth)
                {
                    return new JsonProblem("too_deep", $"the JSON is nested more than {MaximumDepth} levels deep", offset);
                }

                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                {
                    if (reader.ValueIsEscaped && !HasWholeSurrogates(ref reader))
                    {
                        return new JsonProblem("lone_surrogate", $"field '{field}' has half of a surrogate pair (\\ud800 to \\udfff must come in pairs)", offset);
                    }

                    if (reader.TokenType == JsonTokenType.PropertyName)
                    {
                        field = reader.GetString()!;
                    }
                }
            }

            return null;
        }
        catch (JsonException e)
        {
            // The text was one line for the reader unless it held \n; callers hand over whole records.
            return new JsonProblem("not_json", $"this is not JSON: {Reason(e)}", OffsetOf(utf8, e));
        }
    }

    /// <summary>The byte offset that a JsonException (zero-based line, byte in line) speaks of.</summary>
    public static int OffsetOf(ReadOnlySpan<byte> utf8, JsonException e)
    {
        var start = 0;
        for (var line = e.LineNumber ?? 0; line > 0; line--)
        {
            start += utf8[start..].IndexOf((byte)'\n') + 1;
        }

        return (int)Math.Min(utf8.Length, start + (e.BytePositionInLine ?? 0));
    }

    private static bool HasWholeSurrogates(ref Utf8JsonReader reader)
    {
        try
        {
            reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static int FirstInvalid(ReadOnlySpan<byte> utf8)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(utf8[offset..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            offset += length;
        }

        return offset;
    }
}
